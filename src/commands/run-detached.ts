import { EXIT } from '../errors.ts';
import type { Context } from './context.ts';
import type { CommandResult, ParsedCall } from './spec.ts';
import { startSession } from './start-session.ts';

/** Until a terminal is attached the command has one of this size. */
const DETACHED_SIZE = { columns: 80, rows: 24 };

/** Leaves the session in the background once the command runs. */
export async function runDetached(call: ParsedCall, context: Context): Promise<CommandResult> {
  const { id, ready } = await startSession(call, context, { size: DETACHED_SIZE, terminal: null, waitsForClient: false });
  await ready;
  return {
    output: `Started detached session ${id}.\nAttach with: nono attach ${id}\n`,
    unwritten: `The session was started, and goes on: see \`nono inspect ${id}\`, or end it with \`nono stop ${id}\``,
    exitCode: EXIT.ok,
  };
}
