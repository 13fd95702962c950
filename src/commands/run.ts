import { EXIT } from '../errors.ts';
import { askTimeoutMs } from './ask-timeout.ts';
import type { Context } from './context.ts';
import { chosenName } from './new-session.ts';
import { hasOwnTerminal } from './own-terminal.ts';
import { refuseJson } from './refuse-json.ts';
import { checkSnapshotOptions } from './snapshot-options.ts';
import type { CommandResult, ParsedCall } from './spec.ts';

/** Runs the command in the sandbox: on a terminal of its own, attached or not, or on the caller's streams. */
export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  if (!call.flags.has('silent')) return await runHere(call, context);
  const held: string[] = [];
  const result = await runHere(call, { ...context, notify: (line) => void held.push(line) });
  // What nono could not do is said all the same.
  if (result.exitCode === EXIT.nonoFailed) for (const line of held) context.notify(line);
  return result;
}

async function runHere(call: ParsedCall, context: Context): Promise<CommandResult> {
  checkOptions(call);
  if (call.flags.has('dry-run'))
    return (await import('./policy/dry-run.ts')).dryRun(call, context, hasOwnTerminal(call, context));
  refuseJson(call);
  if (call.flags.has('detached')) return (await import('./run-detached.ts')).runDetached(call, context);
  if (!hasOwnTerminal(call, context)) return (await import('./run-plain.ts')).runPlain(call, context);
  const { isPutAside } = await import('./put-aside.ts');
  if (!(await isPutAside(context))) return (await import('./run-attached.ts')).runAttached(call, context);
  // Nothing can be asked there.
  const terminal = { ...context.terminal, isStdinTerminal: false };
  return (await import('./run-plain.ts')).runPlain(call, { ...context, terminal });
}

/** What is wrong with the words is said before anything is made, and of a run that is only described too. @throws {UsageError} */
function checkOptions(call: ParsedCall): void {
  checkSnapshotOptions(call);
  chosenName(call);
  askTimeoutMs(call, undefined);
}
