import type { Bytes } from '../bytes.ts';
import { baseName, relativePath } from '../paths.ts';
import { type Change, isListed } from './compare.ts';
import { type Content, type ContentSource, openContent } from './content-access.ts';
import type { Entry } from './entry.ts';

/** What git calls the mode of a file or link. */
export type GitMode = '100644' | '100755' | '120000';

/** A file or link at one end of a change. */
export interface FileSide {
  readonly mode: GitMode;
  /** 0 to 0o7777. */
  readonly permissions: number;
  readonly content: Content;
  /** SHA-256 of the content. */
  readonly hash: Bytes;
}

/** What happened to one file or link, as a patch tells it. */
export interface FileDelta {
  /** Absolute. */
  readonly path: Bytes;
  /** Below `a/` and `b/`: relative to the root, with several roots below the root's name. */
  readonly name: Bytes;
  readonly before: FileSide | undefined;
  readonly after: FileSide | undefined;
  /** Where the same content was before, under its own name there. */
  readonly renamedFrom: { readonly path: Bytes; readonly name: Bytes } | undefined;
}

/** Where the contents of both sides of a change come from. */
export interface DeltaSources {
  readonly roots: readonly Bytes[];
  readonly before: ContentSource;
  readonly after: ContentSource;
}

/**
 * The changes of files and links, in their order. A file that went and one that came with the same content are one
 * that was renamed, in the place of the one that came.
 */
export function fileDeltas(changes: readonly Change[], sources: DeltaSources): FileDelta[] {
  const nameOf = patchNames(sources.roots);
  const origins = findRenames(changes);
  const deltas: FileDelta[] = [];
  const renamed = new Set(origins.values());
  for (const change of changes) {
    if (!isListed(change) || renamed.has(change)) continue;
    const origin = origins.get(change);
    const before = sideOf(origin?.before ?? change.before, origin?.path ?? change.path, sources.before);
    const after = sideOf(change.after, change.path, sources.after);
    if (before === undefined && after === undefined) continue;
    const renamedFrom = origin === undefined ? undefined : { path: origin.path, name: nameOf(origin) };
    deltas.push({ path: change.path, name: nameOf(change), before, after, renamedFrom });
  }
  return deltas;
}

function sideOf(entry: Entry | undefined, path: Bytes, source: ContentSource): FileSide | undefined {
  if (entry === undefined || (entry.kind !== 'file' && entry.kind !== 'symlink')) return undefined;
  const fileMode = (entry.mode & 0o100) === 0 ? '100644' : '100755';
  const mode = entry.kind === 'symlink' ? '120000' : fileMode;
  return { mode, permissions: entry.mode, content: openContent(entry, path, source), hash: entry.hash };
}

/** By the change that brought a file, the one that took the same content away; of several the one with the same name. */
function findRenames(changes: readonly Change[]): ReadonlyMap<Change, Change> {
  const gone = new Map<Bytes, Change[]>();
  for (const change of changes) {
    const { type, before } = change;
    if (type !== '-' || before?.kind !== 'file' || before.sizeBytes === 0) continue;
    const same = gone.get(before.hash);
    if (same === undefined) gone.set(before.hash, [change]);
    else same.push(change);
  }
  const origins = new Map<Change, Change>();
  if (gone.size === 0) return origins;
  for (const change of changes) {
    if (change.type !== '+' || change.after?.kind !== 'file') continue;
    const candidates = gone.get(change.after.hash);
    if (candidates === undefined || candidates.length === 0) continue;
    const named = candidates.findIndex(({ path }) => baseName(path) === baseName(change.path));
    const [origin] = candidates.splice(Math.max(0, named), 1);
    if (origin !== undefined) origins.set(change, origin);
  }
  return origins;
}

/** Gives the name of a change below `a/` and `b/`. */
export function patchNames(roots: readonly Bytes[]): (change: Pick<Change, 'path' | 'root'>) => Bytes {
  const names = rootNames(roots);
  return ({ path, root }) => patchName(path, root, names);
}

/** What stands for each root in a patch: nothing for an only one, else its name, with a number where two have the same. */
function rootNames(roots: readonly Bytes[]): ReadonlyMap<Bytes, Bytes> {
  const names = new Map<Bytes, Bytes>();
  const taken = new Set<Bytes>();
  for (const root of roots) {
    let name = roots.length === 1 ? ('' as Bytes) : baseName(root);
    for (let number = 2; taken.has(name); number++) name = `${baseName(root)}-${number}` as Bytes;
    taken.add(name);
    names.set(root, name);
  }
  return names;
}

function patchName(path: Bytes, root: Bytes, names: ReadonlyMap<Bytes, Bytes>): Bytes {
  const prefix = names.get(root) ?? ('' as Bytes);
  // A root that is a file itself.
  const relative = path === root ? baseName(path) : relativePath(path, root);
  return prefix === '' ? relative : (`${prefix}/${relative}` as Bytes);
}
