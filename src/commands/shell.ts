import type { Bytes } from '../bytes.ts';
import type { Context } from './context.ts';
import { execute as run } from './run.ts';
import type { CommandResult, ParsedCall } from './spec.ts';

const DEFAULT_SHELL = '/bin/sh' as Bytes;

/** `run` with the user's shell. */
export function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const shell = context.environment.get('SHELL' as Bytes);
  return run({ ...call, commandLine: [shell === undefined || shell === '' ? DEFAULT_SHELL : shell] }, context);
}
