import type { Context } from './context.ts';
import type { ParsedCall } from './spec.ts';

/** Whether `run` gives its command a terminal of its own: nothing of the caller's is the command's stream then. */
export function hasOwnTerminal({ flags }: Pick<ParsedCall, 'flags'>, { terminal }: Pick<Context, 'terminal'>): boolean {
  // A stderr that leads elsewhere stays there: then the command shares the caller's terminal instead of having its own.
  return flags.has('detached') || (terminal.isStdinTerminal && terminal.isStdoutTerminal && terminal.isStderrTerminal);
}
