import type { Bytes } from '../../bytes.ts';
import { mayBeThere } from '../../config/config-path.ts';
import { joinPath } from '../../paths.ts';
import type { Context } from '../context.ts';
import type { OptionSpec, ParsedCall } from '../spec.ts';

const DEFAULT_PAGER = 'less' as Bytes;
/** What only writes its input is left out. */
const NO_PAGER = '' as Bytes;
const NO_PAGERS: readonly Bytes[] = [NO_PAGER, 'cat' as Bytes];

export const NO_PAGER_OPTION: OptionSpec = { name: 'no-pager', arity: 'flag', help: 'Print all at once, whatever PAGER says' };

/** What shows a long result, as git chooses it: PAGER or less, on a terminal that can do more than a typewriter. */
export function choosePager({ flags }: ParsedCall, { files, terminal, environment }: Context): Bytes | undefined {
  const type = environment.get('TERM' as Bytes) ?? '';
  if (!terminal.isStdoutTerminal || flags.has('no-pager') || type === '' || type === 'dumb') return undefined;
  const pager = environment.get('PAGER' as Bytes) ?? (isOnPath(DEFAULT_PAGER, { files, environment }) ? DEFAULT_PAGER : NO_PAGER);
  return NO_PAGERS.includes(pager) ? undefined : pager;
}

/** Small systems have none, and nobody has asked for it there. */
function isOnPath(name: Bytes, { files, environment }: Pick<Context, 'files' | 'environment'>): boolean {
  const path = environment.get('PATH' as Bytes) ?? '';
  return path.split(':').some((directory) => directory !== '' && mayBeThere(files, joinPath(directory as Bytes, name)));
}
