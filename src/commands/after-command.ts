import { describeFailure } from '../errors.ts';
import type { CommandEnd, LiveSession } from '../session/live-session.ts';
import type { SeenDenials } from './denials.ts';

/**
 * What is still to be done when the command has ended, in this order. A step that fails, be it by a mistake of nono's own, keeps none of the others from
 * being done and nobody from writing down how the command ended.
 *
 * @returns what failed, by an exception or as a step says; null when nothing did.
 */
export async function doAll(...steps: readonly (() => Promise<string | null | undefined>)[]): Promise<string | null> {
  const failures: string[] = [];
  for (const step of steps) {
    try {
      const failure = await step();
      if (typeof failure === 'string') failures.push(failure);
    } catch (error) {
      failures.push(describeFailure(error).text);
    }
  }
  return failures.length === 0 ? null : failures.join('\n');
}

/** What was refused goes into the audit log, and to the user where the command has failed. */
export async function reportDenials(
  seen: SeenDenials,
  end: CommandEnd,
  { live, notify }: { readonly live: LiveSession; readonly notify: (line: string) => void },
): Promise<undefined> {
  const { denials = [], refused, loneFiles } = seen;
  if (refused.length === 0 && (end.exitCode === 0 || denials.length + loneFiles.length === 0)) return;
  const { denialLines, refusalEvents } = await import('./denials.ts');
  for (const event of refusalEvents(refused)) live.audit(event);
  for (const line of denialLines(seen, end)) notify(line);
}
