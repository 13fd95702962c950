import type { Bytes } from '../bytes.ts';
import { DamageError, NonoError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { Entry, NodeReference } from './entry.ts';
import { NodesDamage } from './node-codec.ts';
import { merkleHash } from './node-edit.ts';
import { CHUNK_BYTES, objectPath, readObject } from './objects.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import type { RollbackStore } from './store.ts';

export type FindingKind = 'manifest' | 'nodes' | 'merkle' | 'missing-object' | 'damaged-object';

/** One thing that is not as it was stored. */
export interface Finding {
  readonly session: Bytes;
  readonly kind: FindingKind;
  /** The tracked path that needs it, or the file of the session that is damaged. */
  readonly path: Bytes;
  readonly message: string;
}

export interface VerifyResult {
  readonly session: Bytes;
  readonly objects: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

/** Recomputes every node and every object of a session. */
export function verifySession(store: RollbackStore, id: Bytes, hash: Hash): VerifyResult {
  const findings: Finding[] = [];
  const report = (kind: FindingKind, path: Bytes, message: string) => void findings.push({ session: id, kind, path, message });
  const seen = new Map<Bytes, boolean>();
  let bytes = 0;
  try {
    using session = store.open(id);
    using objects = session.openObjects();
    const chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
    for (const record of session.manifest.snapshots) {
      const nodesPath = `snapshots/${record.number}/nodes` as Bytes;
      try {
        const tree = session.tree(session.manifest, record.number);
        const checker = new TreeCheck(tree, hash, report, (entry, path) => {
          if (seen.has(entry.hash)) return;
          seen.set(entry.hash, true);
          bytes += checkObject(objects, entry, path, { hash, chunk, report });
        });
        checker.checkRoots(record.merkleRoot, nodesPath);
      } catch (error) {
        if (!(error instanceof NodesDamage) && !(error instanceof DamageError)) throw error;
        report('nodes', nodesPath, error.message);
      }
    }
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    report('manifest', 'manifest.json' as Bytes, error.message);
  }
  return { session: id, objects: seen.size, bytes, findings };
}

interface ObjectCheck {
  readonly hash: Hash;
  /** CHUNK_BYTES of memory. */
  readonly chunk: Uint8Array;
  readonly report: Report;
}

type Report = (kind: FindingKind, path: Bytes, message: string) => void;

/** @returns the bytes that were read. */
function checkObject(objects: Directory, { hash: name }: Entry, path: Bytes, { hash, chunk, report }: ObjectCheck): number {
  let bytes = 0;
  try {
    for (const piece of readObject(objects, name, hash, chunk)) bytes += piece.length;
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    const isMissing = objects.stat(objectPath(name)) === undefined;
    report(isMissing ? 'missing-object' : 'damaged-object', path, error.message);
  }
  return bytes;
}

class TreeCheck {
  readonly #tree: SnapshotTree;
  readonly #hash: Hash;
  readonly #report: Report;
  readonly #onFile: (entry: Entry, path: Bytes) => void;

  constructor(tree: SnapshotTree, hash: Hash, report: Report, onFile: (entry: Entry, path: Bytes) => void) {
    this.#tree = tree;
    this.#hash = hash;
    this.#report = report;
    this.#onFile = onFile;
  }

  checkRoots(expected: Bytes, nodesPath: Bytes): void {
    this.#checkMerkle(this.#tree.rootReference, expected, nodesPath);
    for (const root of this.#tree.roots()) this.#checkEntry(root, root.name);
  }

  #checkEntry(entry: Entry, path: Bytes): void {
    if (entry.kind === 'file') this.#onFile(entry, path);
    if (entry.kind === 'symlink' && this.#hash.sha256(Buffer.from(entry.target, 'latin1')) !== entry.hash) {
      this.#report('merkle', path, 'The link target does not fit its hash');
    }
    if (entry.child === undefined) return;
    this.#checkMerkle(entry.child, entry.hash, path);
    for (const child of this.#tree.children(entry.child)) this.#checkEntry(child, joinPath(path, child.name));
  }

  #checkMerkle(reference: NodeReference, expected: Bytes, path: Bytes): void {
    if (merkleHash(this.#tree.nodeBytes(reference), 0, this.#hash) !== expected) {
      this.#report('merkle', path, 'The Merkle hash does not fit the node');
    }
  }
}
