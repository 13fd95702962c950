import type { Bytes } from '../bytes.ts';
import { isWithin, parentPath } from '../paths.ts';
import { changeType } from './compare.ts';
import type { ContentDeps } from './content.ts';
import { entryNow, lookAt } from './entry-now.ts';
import type { ExaminedChange } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import { TreeIndex } from './tree-index.ts';

/** Where directories are looked for. */
export interface LeadingPlace {
  readonly roots: RootDirectories;
  /** The snapshot to go back to. */
  readonly target: SnapshotTree;
  /** The state that the session left. */
  readonly left: SnapshotTree;
  readonly contents: ContentDeps;
}

/**
 * The directories that have to be there again before what is to come back can be, and that are not among it: who wants one file of a
 * removed directory names only that.
 *
 * @returns outer ones first.
 */
export function leadingDirectories(
  { roots, target, left, contents }: LeadingPlace,
  examined: readonly ExaminedChange[],
): ExaminedChange[] {
  // One that only had another time and is gone is nobody's wish by itself, unless an earlier restore took it away: then it is among them.
  const isAsked = ({ change, now, others = [] }: ExaminedChange) =>
    change.type !== 'm' || now !== undefined || others.includes(undefined);
  const seen = new Set(examined.filter(isAsked).map(({ change }) => change.path));
  const [wanted, leftBehind] = [new TreeIndex(target), new TreeIndex(left)];
  const found: ExaminedChange[] = [];
  for (const { change, now } of examined) {
    const { root } = change;
    if (change.before === undefined || now !== undefined || change.path === root) continue;
    for (let path = parentPath(change.path); !seen.has(path); path = parentPath(path)) {
      seen.add(path);
      if (isEnterable(roots, path)) break;
      const [before, after] = [wanted.find(path), leftBehind.find(path)];
      const there = entryNow(roots, path, [after], contents);
      // What somebody else has put in the place of a directory that the session left stays.
      if (after?.kind === 'directory' && there !== undefined) break;
      found.push({ change: { path, root, type: changeType(before, after) ?? '-', before, after }, now: there });
      if (!isWithin(parentPath(path), root)) break;
    }
  }
  return found.sort((a, b) => (a.change.path < b.change.path ? -1 : 1));
}

/** Also where nobody can tell. */
function isEnterable(roots: RootDirectories, path: Bytes): boolean {
  const found = lookAt(roots, path);
  return found === 'closed' || found?.stat.kind === 'directory';
}
