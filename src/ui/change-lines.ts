import { type Bytes, displayBytes } from '../bytes.ts';
import { isWithin, relativePath, tildePath } from '../paths.ts';
import type { ChangeCounts } from '../rollback/manifest.ts';
import type { Palette } from './palette.ts';
import type { NewsPart } from './session-list.ts';

/** A changed path for people: relative to the only root, else with `~` for the home directory. */
export function displayPath(path: Bytes, roots: readonly Bytes[], home: Bytes): string {
  const [only] = roots;
  if (roots.length === 1 && only !== undefined && isWithin(path, only)) {
    return displayBytes(path === only ? ('.' as Bytes) : relativePath(path, only));
  }
  return displayBytes(tildePath(path, home));
}

/** What changed, part by part, as people count it; empty when there is nothing. */
export function countParts({ created, modified, deleted, modeChanged }: ChangeCounts): NewsPart[] {
  const parts: NewsPart[] = [];
  if (created > 0) parts.push({ text: `+${created} ${created === 1 ? 'file' : 'files'}`, kind: 'added' });
  if (modified > 0) parts.push({ text: `~${modified} modified`, kind: 'changed' });
  if (deleted > 0) parts.push({ text: `-${deleted} deleted`, kind: 'removed' });
  if (modeChanged > 0) parts.push({ text: `${modeChanged} mode`, kind: 'changed' });
  return parts;
}

/** "+5 files, ~2 modified, -1 deleted, 1 mode", '' when there is nothing. */
export function countsText(counts: ChangeCounts, palette: Palette): string {
  return countParts(counts)
    .map(({ text, kind }) => (kind === 'plain' ? text : palette[kind](text)))
    .join(', ');
}

export function totalOf({ created, modified, deleted, modeChanged }: ChangeCounts): number {
  return created + modified + deleted + modeChanged;
}

export type ChangeMark = '+' | '-' | '~' | 'p' | 'm';

export function colourMark(mark: ChangeMark, palette: Palette): string {
  if (mark === '+') return palette.added(mark);
  return mark === '-' ? palette.removed(mark) : palette.changed(mark);
}
