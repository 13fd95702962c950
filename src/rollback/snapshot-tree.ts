import type { Bytes } from '../bytes.ts';
import { type Entry, isSettled, type NodeReference } from './entry.ts';
import { decodeHeader, decodeNames, decodeNode, nodeLength } from './node-codec.ts';

/** Where the nodes of a stored snapshot are. */
export interface PlaceOfTree {
  /** The absolute path of `rollbacks/`. */
  readonly rollbacks: Bytes;
  readonly id: Bytes;
  readonly number: number;
}

/** One snapshot, read from its nodes file and those of earlier snapshots that it refers to. */
export class SnapshotTree {
  readonly #load: (snapshot: number) => Buffer;
  readonly #root: NodeReference;
  #startedMs: number | undefined;

  /** Where it is stored; undefined for one that is in memory only. */
  readonly place: PlaceOfTree | undefined;

  /** @param load Gives the nodes file of a snapshot; called for each access, so it keeps what it read. */
  constructor(load: (snapshot: number) => Buffer, root: NodeReference, place?: PlaceOfTree) {
    this.place = place;
    this.#load = load;
    this.#root = root;
  }

  /** When the walk began, in milliseconds since 1970. */
  get startedMs(): number {
    this.#startedMs ??= startOf(this.#load(this.#root.snapshot));
    return this.#startedMs;
  }

  /** The tracked roots, their names absolute paths. @throws {NodesDamage} as do the others. */
  roots(): Entry[] {
    return decodeNode(this.#load(this.#root.snapshot), this.#root.offset, this.#root.snapshot, true);
  }

  /** The nodes file of a snapshot that this tree refers to. */
  file(snapshot: number): Buffer {
    return this.#load(snapshot);
  }

  get rootReference(): NodeReference {
    return this.#root;
  }

  /** The entries of a directory, sorted by the bytes of their names. */
  children(directory: NodeReference): Entry[] {
    return decodeNode(this.#load(directory.snapshot), directory.offset, directory.snapshot, false);
  }

  /** Their names alone. */
  names(directory: NodeReference): Bytes[] {
    return decodeNames(this.#load(directory.snapshot), directory.offset);
  }

  /** The encoded node. */
  nodeBytes({ snapshot, offset }: NodeReference): Buffer {
    const file = this.#load(snapshot);
    return file.subarray(offset, offset + nodeLength(file, offset));
  }

  /** True when the file may have changed since it was read although its times have not. */
  isRacy(entry: Pick<Entry, 'ctimeSeconds' | 'ctimeNanoseconds'>, windowMs?: number): boolean {
    return !isSettled(entry, this.startedMs, windowMs);
  }

  /**
   * The same while the command of the session runs: what it has changed since the baseline it may have mapped into its memory, and the
   * kernel gives a page that is written again no new time before it was written out, on tmpfs never.
   */
  isRacyWithin(entry: Pick<Entry, 'ctimeSeconds' | 'ctimeNanoseconds'>): boolean {
    if (this.isRacy(entry)) return true;
    return (this.place?.number ?? 0) > 0 && !isSettled(entry, startOf(this.#load(0)));
  }
}

function startOf(nodes: Buffer): number {
  const { startedSeconds, startedNanoseconds } = decodeHeader(nodes);
  return startedSeconds * 1000 + startedNanoseconds / 1_000_000;
}

/** Visits every entry of the tree with its absolute path, parents before children. */
export function* walkTree(tree: SnapshotTree): Generator<{ readonly path: Bytes; readonly entry: Entry }> {
  for (const root of tree.roots()) {
    yield { path: root.name, entry: root };
    yield* walkBelow(tree, root.name, root);
  }
}

function* walkBelow(
  tree: SnapshotTree,
  path: Bytes,
  directory: Entry,
): Generator<{ readonly path: Bytes; readonly entry: Entry }> {
  if (directory.child === undefined) return;
  for (const entry of tree.children(directory.child)) {
    const below = (path === '/' ? `/${entry.name}` : `${path}/${entry.name}`) as Bytes;
    yield { path: below, entry };
    yield* walkBelow(tree, below, entry);
  }
}
