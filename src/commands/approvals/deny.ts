import { textFromBytes } from '../../bytes.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { decideAll } from './decide.ts';

export async function execute({ positionals, flags, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const reason = values.get('reason')?.[0];
  const decision = flags.has('session') ? 'deny_session' : 'deny';
  return await decideAll(positionals, { decision, note: reason === undefined ? null : textFromBytes(reason) }, context);
}
