import { type Bytes, displayBytes } from '../../bytes.ts';
import { type Change, isListed } from '../../rollback/compare.ts';
import type { Entry } from '../../rollback/entry.ts';
import { refusedNames } from './patches.ts';
import type { SessionView } from './session-view.ts';

const EXECUTABLE = 0o100;
/** How many names are told of what git refuses. */
const NAMED_MAXIMUM = 3;

/** What has changed and no patch can say, for people; '' when there is nothing. */
export function unpatchable(view: SessionView): string {
  const { changes } = view;
  let [directories, modes] = [0, 0];
  for (const [at, change] of changes.entries()) {
    if (!isListed(change)) continue;
    const { path, before, after, type } = change;
    const isDirectory = [before, after].some((entry) => entry?.kind === 'directory');
    if (isDirectory && (type === 'p' || (type !== '~' && !isParent(path, changes[at + 1])))) directories += 1;
    if (before?.kind === 'file' && after?.kind === 'file' && differsBeyondGit(before, after)) modes += 1;
  }
  const parts: string[] = [];
  if (directories > 0) parts.push(`${directories} ${directories === 1 ? 'directory' : 'directories'} (empty, or another mode)`);
  if (modes > 0) parts.push(`modes of ${modes} ${modes === 1 ? 'file' : 'files'} beyond "executable or not"`);
  const refused = refusedNames(view);
  if (refused.length > 0) {
    const named = refused.slice(0, NAMED_MAXIMUM).map(displayBytes).join(', ');
    const rest = refused.length > NAMED_MAXIMUM ? ', …' : '';
    parts.push(`${refused.length} ${refused.length === 1 ? 'path' : 'paths'} that git apply refuses: ${named}${rest}`);
  }
  return parts.join(', ');
}

/** What is in a directory comes right after it. */
function isParent(path: Bytes, next: Change | undefined): boolean {
  return next?.path.startsWith(`${path}/`) ?? false;
}

function differsBeyondGit(before: Entry, after: Entry): boolean {
  return before.mode !== after.mode && (before.mode & EXECUTABLE) === (after.mode & EXECUTABLE);
}
