import type { Bytes } from '../bytes.ts';
import { baseName, parentPath } from '../paths.ts';
import { namesNow } from './entry-now.ts';
import type { RestoreAction } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import type { TreeIndex } from './tree-index.ts';

/** A directory gets its time back only with its listing. */
export function hasNames(now: readonly Bytes[] | undefined, wanted: readonly Bytes[] | undefined): boolean {
  if (now === undefined || wanted === undefined) return false;
  return wanted.length === now.length && wanted.every((name, index) => name === now[index]);
}

/**
 * The actions without those on directories that would get nothing but their time, and do not: what is in them stays another listing,
 * of what no snapshot holds or somebody else has made. A restore that finds nothing else has nothing to do.
 *
 * @param listed The names in some directories now.
 */
export function withoutLostTimes(
  actions: readonly RestoreAction[],
  { roots, target, listed }: { roots: RootDirectories; target: TreeIndex; listed: ReadonlyMap<Bytes, readonly Bytes[]> },
): readonly RestoreAction[] {
  const isTimeOnly = ({ type, want }: RestoreAction) => type === 'm' && want?.kind === 'directory';
  const timed = new Map<Bytes, Set<Bytes>>();
  for (const action of actions)
    if (isTimeOnly(action)) timed.set(action.path, new Set(listed.get(action.path) ?? namesNow(roots, action.path)));
  for (const { path, want } of actions) {
    const names = timed.get(parentPath(path));
    if (want === undefined) names?.delete(baseName(path));
    else names?.add(baseName(path));
  }
  return actions.filter((action) => {
    const names = timed.get(action.path);
    return names === undefined || hasNames([...names].sort(), target.names(action.path));
  });
}
