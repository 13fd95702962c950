import type { Signals } from '../ports/signals.ts';
import { signalNumber } from '../signal-names.ts';
import { isInForeground, OWN } from './await-turn.ts';
import type { Context } from './context.ts';

/**
 * Whether this process was put into the background of its terminal by somebody who goes on there, as timeout(1) does in a script: no shell knows of that
 * group, so that nobody would ever give it the terminal that a client waits for.
 */
export async function isPutAside(context: Context): Promise<boolean> {
  const signals = await context.loadSignals();
  const group = signals.groupOf(OWN);
  return group !== undefined && !isInForeground(signals) && expectsIt(signals, group);
}

/** The leader, which has the number of its group: whoever ignores these writes and reads there. */
function expectsIt(signals: Signals, leader: number): boolean {
  return ['SIGTTIN', 'SIGTTOU'].every((name) => signals.ignores(leader, signalNumber(name)));
}
