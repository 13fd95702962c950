import type { Bytes } from '../../bytes.ts';
import type { Context } from '../context.ts';
import type { OptionSpec, ParsedCall } from '../spec.ts';

const DEFAULT_PAGER = 'less' as Bytes;
/** What only writes its input is left out. */
const NO_PAGERS: readonly Bytes[] = ['', 'cat'] as Bytes[];

export const NO_PAGER_OPTION: OptionSpec = { name: 'no-pager', arity: 'flag', help: 'Print all at once, whatever PAGER says' };

/** What shows a long result, as git chooses it: PAGER or less, on a terminal that can do more than a typewriter. */
export function choosePager({ flags }: ParsedCall, { terminal, environment }: Context): Bytes | undefined {
  const type = environment.get('TERM' as Bytes) ?? '';
  if (!terminal.isStdoutTerminal || flags.has('no-pager') || type === '' || type === 'dumb') return undefined;
  const pager = environment.get('PAGER' as Bytes) ?? DEFAULT_PAGER;
  return NO_PAGERS.includes(pager) ? undefined : pager;
}
