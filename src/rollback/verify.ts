import type { Bytes } from '../bytes.ts';
import { DamageError, NonoError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { RECORD, readUint64 } from '../ports/listing.ts';
import { RESULT_BYTES, RESULT_KINDS, readHash } from './content-wire.ts';
import type { ContentSink } from './drafts.ts';
import type { Entry, NodeReference } from './entry.ts';
import { gitObjects } from './git-store.ts';
import { merkleHash } from './node-edit.ts';
import { hexHash, objectPath } from './objects.ts';
import { openReader } from './open-reader.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { MANIFEST, type RollbackSession } from './session-directory.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import type { RollbackStore } from './store.ts';

/** What is not as it was stored; `unreadable` is what a newer nono wrote, or what cannot be looked at. */
export type FindingKind = 'unreadable' | 'manifest' | 'nodes' | 'merkle' | 'missing-object' | 'damaged-object';

/** One thing that is not as it was stored. */
export interface Finding {
  readonly session: Bytes;
  readonly kind: FindingKind;
  /** The tracked path that needs it, or the file of the session that is damaged. */
  readonly path: Bytes;
  readonly message: string;
}

/** Of one session; it is whole when there is no finding. */
export interface VerifyResult {
  readonly session: Bytes;
  readonly objects: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

/** Recomputes every node and every object of a session. */
export async function verifySession(
  deps: RollbackDeps,
  store: RollbackStore,
  id: Bytes,
  onProgress?: (checked: number, objects: number) => void,
): Promise<VerifyResult> {
  const findings: Finding[] = [];
  const report = (kind: FindingKind, path: Bytes, message: string) => void findings.push({ session: id, kind, path, message });
  const objects = new ObjectChecks(report, onProgress);
  try {
    using session = store.open(id);
    checkTrees(session, deps.hash, report, objects);
    using directory = session.openObjects();
    checkGit(session, directory, deps.hash, objects);
    await objects.run(deps, directory.path);
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    report(error instanceof DamageError ? 'manifest' : 'unreadable', MANIFEST, error.message);
  }
  return { session: id, objects: objects.count, bytes: objects.bytes, findings };
}

function checkTrees(session: RollbackSession, hash: Hash, report: Report, objects: ObjectChecks): void {
  const visited = new Map<string, Bytes>();
  for (const record of session.manifest.snapshots) {
    const nodesPath = `snapshots/${record.number}/nodes` as Bytes;
    try {
      const tree = session.tree(session.manifest, record.number);
      const check = new TreeCheck(tree, { hash, report, visited, onFile: (entry, path) => objects.add(entry.hash, path) });
      check.checkRoots(record.merkleRoot, nodesPath);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      report('nodes', nodesPath, error.message);
    }
  }
}

/** Objects between two words about how far it is. */
const TOLD_EVERY = 256;
const GIT_RECORD = '.git' as Bytes;

/** A record that cannot be read is found again, with its path, when its object is checked. */
function checkGit({ manifest }: RollbackSession, directory: Directory, hash: Hash, objects: ObjectChecks): void {
  for (const record of [manifest.git?.before, manifest.git?.after]) if (record !== undefined) objects.add(record, GIT_RECORD);
  try {
    for (const content of gitObjects(directory, manifest, hash)) objects.add(content, GIT_RECORD);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
  }
}

type Report = (kind: FindingKind, path: Bytes, message: string) => void;

/** The objects that the trees name, each to be read and hashed once. */
class ObjectChecks implements ContentSink {
  readonly #report: Report;
  /** By the hash, the first path that needs it. */
  readonly #paths = new Map<Bytes, Bytes>();
  readonly #checked: { readonly hash: Bytes; readonly path: Bytes }[] = [];
  readonly #onProgress: ((checked: number, objects: number) => void) | undefined;
  #settled = 0;
  bytes = 0;

  constructor(report: Report, onProgress?: (checked: number, objects: number) => void) {
    this.#report = report;
    this.#onProgress = onProgress;
  }

  get count(): number {
    return this.#paths.size;
  }

  add(hash: Bytes, path: Bytes): void {
    if (!this.#paths.has(hash)) this.#paths.set(hash, path);
  }

  async run(deps: RollbackDeps, objects: Bytes): Promise<void> {
    const plan = { objects: undefined, earlierObjects: undefined, maxFileBytes: Number.POSITIVE_INFINITY, isListed: true };
    await using reader = await openReader(deps, { ...plan, roots: [objects] });
    for (const [hash, path] of this.#paths) {
      const position = this.#checked.push({ hash, path }) - 1;
      reader.submit({ root: 0, path: objectPath(hash), sink: this, position });
    }
    await reader.finish();
  }

  settle(position: number, results: Buffer, at: number): void {
    const { hash, path } = this.#checked[position] as { readonly hash: Bytes; readonly path: Bytes };
    this.#settled += 1;
    if (this.#settled % TOLD_EVERY === 0) this.#onProgress?.(this.#settled, this.#paths.size);
    const name = `object "${objectPath(hash)}"`;
    const kind = results[at];
    if (kind === RESULT_KINDS.vanished) this.#report('missing-object', path, `Cannot use ${name}: it is missing`);
    else if (kind !== RESULT_KINDS.read)
      this.#report('damaged-object', path, `Cannot use ${name}: it is not a readable regular file`);
    else this.#compare(results.subarray(at, at + RESULT_BYTES), hash, path);
  }

  #compare(result: Buffer, hash: Bytes, path: Bytes): void {
    const actual = readHash(result, 0);
    if (actual === hash) this.bytes += readUint64(result, RECORD.size);
    else this.#report('damaged-object', path, `Cannot use object "${objectPath(hash)}": its SHA-256 is ${hexHash(actual)}`);
  }
}

interface TreeCheckDeps {
  readonly hash: Hash;
  readonly report: Report;
  /** By its place, the Merkle hash that a node was checked against: snapshots share the nodes of what did not change. */
  readonly visited: Map<string, Bytes>;
  readonly onFile: (entry: Entry, path: Bytes) => void;
}

class TreeCheck {
  readonly #tree: SnapshotTree;
  readonly #deps: TreeCheckDeps;

  constructor(tree: SnapshotTree, deps: TreeCheckDeps) {
    this.#tree = tree;
    this.#deps = deps;
  }

  checkRoots(expected: Bytes, nodesPath: Bytes): void {
    this.#checkMerkle(this.#tree.rootReference, expected, nodesPath);
    for (const root of this.#tree.roots()) this.#checkEntry(root, root.name);
  }

  #checkEntry(entry: Entry, path: Bytes): void {
    const { hash, report, visited, onFile } = this.#deps;
    if (entry.kind === 'file') onFile(entry, path);
    if (entry.kind === 'symlink' && hash.sha256(Buffer.from(entry.target, 'latin1')) !== entry.hash) {
      report('merkle', path, 'The link target does not fit its hash');
    }
    if (entry.child === undefined) return;
    const place = `${entry.child.snapshot}:${entry.child.offset}`;
    if (visited.get(place) === entry.hash) return;
    visited.set(place, entry.hash);
    this.#checkMerkle(entry.child, entry.hash, path);
    for (const child of this.#tree.children(entry.child)) this.#checkEntry(child, joinPath(path, child.name));
  }

  #checkMerkle(reference: NodeReference, expected: Bytes, path: Bytes): void {
    const { hash, report } = this.#deps;
    if (merkleHash(this.#tree.nodeBytes(reference), 0, hash) !== expected) {
      report('merkle', path, 'The Merkle hash does not fit the node');
    }
  }
}
