import { UsageError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { decideAll } from './decide.ts';

export async function execute({ positionals, flags }: ParsedCall, context: Context): Promise<CommandResult> {
  if (flags.has('session') && flags.has('folder')) {
    throw new UsageError('Cannot use --session with --folder: the folder is allowed for the session', {
      hint: 'Leave one of them out',
    });
  }
  if (flags.has('folder') && flags.has('always')) {
    throw new UsageError('Cannot use --folder with --always: what is written is what was asked about, and no folder', {
      hint: 'Leave one of them out',
    });
  }
  if (flags.has('yes') && !flags.has('always'))
    throw new UsageError('Cannot use --yes without --always', { hint: 'Add --always' });
  if (flags.has('always')) {
    const { allowAlways } = await import('./always.ts');
    return await allowAlways(positionals, { isSure: flags.has('yes') }, context);
  }
  const decision = flags.has('folder') ? 'folder' : flags.has('session') ? 'session' : 'once';
  return await decideAll(positionals, { decision, note: null }, context);
}
