import type { Bytes } from '../bytes.ts';
import { awaitTurn } from './await-turn.ts';
import type { Context } from './context.ts';
import { attachTerminal } from './session/attach-terminal.ts';
import { openSession } from './session/open-sessions.ts';
import { reviewSession } from './session/review-session.ts';
import type { CommandResult, ParsedCall } from './spec.ts';
import { isSupervisorDeath, startSession } from './start-session.ts';

/** Starts a session and attaches this terminal to it before the command writes its first byte. */
export async function runAttached(call: ParsedCall, context: Context): Promise<CommandResult> {
  const early = await awaitTurn(context, '; `nono run --detached` needs none');
  if (early !== undefined) return { exitCode: early };
  const { size, terminal } = await lookAtTerminal(context);
  const { id, ready } = await startSession(call, context, { size, terminal, waitsForClient: true });
  try {
    const { exitCode, hasEnded } = await attachTerminal(context, await openSession(context, id as Bytes), {
      mode: 'attach',
      historyLines: undefined,
      isNew: true,
    });
    if (hasEnded && call.flags.has('rollback')) await reviewSession(context, id);
    return { exitCode };
  } catch (error) {
    throw (await failureOf(ready)) ?? error;
  }
}

/** Why the command was not started, which says more than that its supervisor is gone; undefined when it was, or when that is all there is to say. */
async function failureOf(ready: Promise<void>): Promise<unknown> {
  try {
    await ready;
    return undefined;
  } catch (error) {
    return isSupervisorDeath(error) ? undefined : error;
  }
}

async function lookAtTerminal(context: Context) {
  const openTerminal = await context.loadUserTerminal();
  using terminal = openTerminal();
  return { size: terminal.size(), terminal: terminal.settings() };
}
