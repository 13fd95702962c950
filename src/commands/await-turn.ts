import type { Signals } from '../ports/signals.ts';
import { SIGNAL_EXIT_BASE } from '../signal-names.ts';
import type { Context } from './context.ts';

/** Of getpgid(2): this process. */
export const OWN = 0;
/** A process that cannot be stopped, since no shell could continue it, looks again so often. */
const LOOK_AGAIN_MS = 20;

/** Where no terminal is this session's there is no background. */
export function isInForeground(signals: Signals): boolean {
  const group = signals.foregroundGroup();
  return group === undefined || group === signals.groupOf(OWN);
}

/** Who takes over a terminal in the background is stopped, until it has that, or is to end. */
export async function untilForeground(signals: Signals, isToEnd: () => boolean): Promise<void> {
  while (!isToEnd() && !isInForeground(signals)) {
    signals.stopGroup('background');
    // What is to end it would be heard of.
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * The same, before the terminal is looked at: while a shell has it, it has the settings of a shell that edits a line.
 *
 * @param way For people: what needs no terminal.
 * @returns the exit status of who is to end.
 */
export async function awaitTurn(context: Pick<Context, 'loadSignals' | 'notify'>, way = ''): Promise<number | undefined> {
  const signals = await context.loadSignals();
  if (isInForeground(signals)) return undefined;
  const caught: number[] = [];
  using _watching = signals.watch({
    onSignal: ({ signal }) => void caught.push(signal),
    onChild: () => undefined,
    isReader: true,
  });
  // Shells say that it was stopped, and not why.
  context.notify(`In the background of this terminal: \`fg\` brings it there${way}`);
  await untilForeground(signals, () => caught.length > 0);
  const [first] = caught;
  return first === undefined ? undefined : SIGNAL_EXIT_BASE + first;
}
