import { EXIT, UsageError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { checkKernel } from './check-kernel.ts';
import { checksResult } from './checks.ts';

/** There is nothing to set up: no daemon, no privileges, no rules. What can be done is to look. */
export async function execute({ flags }: ParsedCall, context: Context): Promise<CommandResult> {
  if (!flags.has('check-only'))
    throw new UsageError('Cannot set anything up: nono needs no daemon, no privileges and no configuration', {
      hint: 'See what this machine can enforce with `nono setup --check-only`',
    });
  return checksResult(await checkKernel(context), flags.has('json'), EXIT.failure);
}
