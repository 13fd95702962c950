import { type Bytes, displayBytes } from '../bytes.ts';
import { isWithin, relativePath, tildePath } from '../paths.ts';
import type { ChangeCounts } from '../rollback/manifest.ts';
import type { Palette } from './palette.ts';

/** A changed path for people: relative to the only root, else with `~` for the home directory. */
export function displayPath(path: Bytes, roots: readonly Bytes[], home: Bytes): string {
  const [only] = roots;
  if (roots.length === 1 && only !== undefined && isWithin(path, only)) {
    return displayBytes(path === only ? ('.' as Bytes) : relativePath(path, only));
  }
  return displayBytes(tildePath(path, home));
}

/** "+5 files, ~2 modified, -1 deleted, 1 mode", '' when there is nothing. */
export function countsText({ created, modified, deleted, modeChanged }: ChangeCounts, palette: Palette): string {
  const parts: string[] = [];
  if (created > 0) parts.push(palette.added(`+${created} ${created === 1 ? 'file' : 'files'}`));
  if (modified > 0) parts.push(palette.changed(`~${modified} modified`));
  if (deleted > 0) parts.push(palette.removed(`-${deleted} deleted`));
  if (modeChanged > 0) parts.push(palette.changed(`${modeChanged} mode`));
  return parts.join(', ');
}

export function totalOf({ created, modified, deleted, modeChanged }: ChangeCounts): number {
  return created + modified + deleted + modeChanged;
}

export type ChangeMark = '+' | '-' | '~' | 'p' | 'm';

export function colourMark(mark: ChangeMark, palette: Palette): string {
  if (mark === '+') return palette.added(mark);
  return mark === '-' ? palette.removed(mark) : palette.changed(mark);
}
