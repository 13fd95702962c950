import type { Bytes } from '../bytes.ts';
import { isWithin, parentPath } from '../paths.ts';
import { Drafts } from './drafts.ts';
import { type Entry, metadataOf, NO_HASH, skippedEntry } from './entry.ts';
import { lookAt, namesNow } from './entry-now.ts';
import type { PackedFile } from './node-codec.ts';
import type { RootDirectories } from './root-directories.ts';

/**
 * The tree of what a restore touches: the given entries, the directories that lead to them as they are
 * now, and the neighbours by name only, so that a directory's time can be put back when its listing is
 * the same again.
 *
 * @param entries By absolute path; undefined for what is not there.
 * @param listed The names in directories that were listed just now.
 */
export function draftPartialTree(
  roots: RootDirectories,
  rootPaths: readonly Bytes[],
  entries: ReadonlyMap<Bytes, Entry | PackedFile | undefined>,
  listed?: ReadonlyMap<Bytes, readonly Bytes[]>,
): Drafts {
  const drafts = new Drafts();
  const children = groupByParent(rootPaths, entries);
  const rootEntries: (Entry | PackedFile)[] = [];
  for (const path of rootPaths) {
    const entry = draftEntry({ drafts, roots, children, entries, listed }, path, path);
    if (entry !== undefined) rootEntries.push(entry);
  }
  drafts.addEntries(rootEntries.sort((a, b) => (a.name < b.name ? -1 : 1)));
  return drafts;
}

interface PartialTree {
  readonly drafts: Drafts;
  readonly roots: RootDirectories;
  /** For each directory that leads to an entry: the paths right below it. */
  readonly children: ReadonlyMap<Bytes, ReadonlySet<Bytes>>;
  readonly entries: ReadonlyMap<Bytes, Entry | PackedFile | undefined>;
  readonly listed: ReadonlyMap<Bytes, readonly Bytes[]> | undefined;
}

function groupByParent(rootPaths: readonly Bytes[], entries: ReadonlyMap<Bytes, unknown>): Map<Bytes, Set<Bytes>> {
  const children = new Map<Bytes, Set<Bytes>>();
  let last: { readonly parent: Bytes; readonly below: Set<Bytes> } | undefined;
  for (const path of entries.keys()) {
    // Neighbours come one after the other, and what leads to the first of them leads to all.
    if (last !== undefined && parentPath(path) === last.parent) {
      last.below.add(path);
      continue;
    }
    const root = rootPaths.find((candidate) => isWithin(path, candidate));
    if (root === undefined) continue;
    for (let at = path; at !== root; at = parentPath(at)) {
      const parent = parentPath(at);
      const known = children.get(parent);
      if (known?.has(at)) break;
      if (known === undefined) children.set(parent, new Set([at]));
      else known.add(at);
    }
    const below = children.get(parentPath(path));
    last = path === root || below === undefined ? undefined : { parent: parentPath(path), below };
  }
  return children;
}

function draftEntry(tree: PartialTree, path: Bytes, name: Bytes): Entry | PackedFile | undefined {
  const given = tree.entries.get(path);
  if (given?.kind !== 'directory' && tree.entries.has(path))
    return given === undefined || given.name === name ? given : { ...given, name };
  const found = lookAt(tree.roots, path);
  // In a directory that the restore has just closed again there is what it put there.
  const stat = found === 'closed' ? given : found?.stat;
  if (stat?.kind !== 'directory') return undefined;
  const entries: (Entry | PackedFile)[] = [];
  const touched = tree.children.get(path) ?? new Set<Bytes>();
  const prefix = path === '/' ? path : `${path}/`;
  const names = new Set(tree.listed?.get(path) ?? namesNow(tree.roots, path) ?? []);
  for (const below of touched) {
    const childName = below.slice(prefix.length) as Bytes;
    names.delete(childName);
    const entry = draftEntry(tree, below, childName);
    if (entry !== undefined) entries.push(entry);
  }
  for (const neighbour of names) entries.push(skippedEntry(neighbour, 'untouched'));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const child = { snapshot: 0, offset: tree.drafts.addEntries(entries) };
  const mode = given?.kind === 'directory' ? given.mode : stat.mode;
  return { ...metadataOf(stat), mode, name, kind: 'directory', reason: undefined, hash: NO_HASH, target: '' as Bytes, child };
}
