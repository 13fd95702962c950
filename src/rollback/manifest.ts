import { type Bytes, bytesFromText, storeBytes } from '../bytes.ts';
import { StateError } from '../errors.ts';
import { isTooDeep } from '../json-depth.ts';
import type { Hash } from '../ports/hash.ts';
import type { NodeReference } from './entry.ts';
import { damaged, Fields } from './manifest-fields.ts';
import { isSafeRootPath } from './node-codec.ts';
import { hexHash } from './objects.ts';
import { Rules } from './rules.ts';

/** FORMAT.md documents each field of the file. */
export const MANIFEST_FORMAT = 1;

/** `restore`: the safety session that undoes one. */
export type RollbackKind = 'run' | 'restore';
/** `open`: the final snapshot is still to come; `recovered`: it was taken after the supervisor was lost. */
export type RollbackStatus = 'open' | 'complete' | 'recovered';

/** One snapshot of a session. */
export interface SnapshotRecord {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly takenMs: number;
  readonly parent: number | undefined;
  readonly label: string;
  readonly root: NodeReference;
  /** 32 bytes. */
  readonly merkleRoot: Bytes;
  /** SHA-256 of the nodes file. */
  readonly nodesHash: Bytes;
  readonly fileCount: number;
  readonly entryCount: number;
  readonly sizeBytes: number;
  /** What the snapshot newly takes on the disk: contents that no other session held, and its nodes. */
  readonly storedBytes: number;
}

/** Absolute, links resolved, with the rules that hold below it. */
export interface TrackedRoot {
  readonly path: Bytes;
  readonly rules: Rules;
}

/** Of a run: how many entries of each kind it changed, so that a list needs no trees. */
export interface ChangeCounts {
  readonly created: number;
  readonly modified: number;
  readonly deleted: number;
  readonly modeChanged: number;
}

/** What a rollback session says of itself. */
export interface Manifest {
  readonly id: Bytes;
  readonly kind: RollbackKind;
  readonly status: RollbackStatus;
  /** The session of six hex digits; '' for a restore. */
  readonly runId: string;
  /** For a restore: the rollback session that it restored. */
  readonly restores: Bytes | undefined;
  readonly command: readonly Bytes[];
  readonly workingDirectory: Bytes;
  readonly profile: string;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly durable: boolean;
  /** The last sign of life of the supervisor, set when a lost session is recovered. */
  readonly heartbeatMs: number | undefined;
  readonly roots: readonly TrackedRoot[];
  readonly snapshots: readonly SnapshotRecord[];
  readonly counts: ChangeCounts | undefined;
  /** Of a run: whether whoever is attached at its end is asked to review it. */
  readonly prompts: boolean;
  /** Of a run: the objects that hold what `.git` said at the baseline and at the end, see git-record.ts. */
  readonly git?: { readonly before: Bytes | undefined; readonly after: Bytes | undefined } | undefined;
}

/** For sort(): by when they started. The local time and the process in an id tell that neither within a second nor when clocks are put back. */
export function newestFirst(a: Pick<Manifest, 'id' | 'startedMs'>, b: Pick<Manifest, 'id' | 'startedMs'>): number {
  return b.startedMs - a.startedMs || (a.id < b.id ? 1 : -1);
}

/** The manifest as bytes: readable JSON whose last field is the SHA-256 of the rest. */
export function encodeManifest(manifest: Manifest, hash: Hash): Buffer {
  const document = toDocument(manifest);
  return serialize(document, hexHash(hash.sha256(Buffer.from(JSON.stringify(document)))));
}

function serialize(document: Record<string, unknown>, seal: string): Buffer {
  return Buffer.from(`${JSON.stringify({ ...document, seal }, undefined, 1)}\n`);
}

/**
 * Reads a manifest and checks its seal, so that no field of it can have been changed by accident.
 *
 * @param path For the message.
 * @throws {StateError} for a newer format. @throws {DamageError} otherwise.
 */
export function decodeManifest(data: Uint8Array, path: string, hash: Hash): Manifest {
  const document = parseJson(data, path);
  const format = document['format'];
  if (typeof format === 'number' && format > MANIFEST_FORMAT) {
    throw new StateError(`Cannot read "${path}": its format is ${format}, this nono knows ${MANIFEST_FORMAT}`, {
      hint: 'Use the nono that wrote it, or a newer one',
    });
  }
  const { seal, ...rest } = document;
  const actual = hexHash(hash.sha256(Buffer.from(JSON.stringify(rest))));
  if (seal !== actual) throw damaged(path, 'its seal does not fit its fields');
  // What JSON can write in two ways, a space or an escape, is not under the seal but is under this.
  if (!serialize(rest, actual).equals(data)) throw damaged(path, 'it is not in the form that nono writes');
  return fromDocument(new Fields(rest, path));
}

function parseJson(data: Uint8Array, path: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw damaged(path, 'it is not JSON', error);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw damaged(path, 'it is no object');
  if (isTooDeep(document)) throw damaged(path, 'it is nested deeper than nono nests anything');
  return document as Record<string, unknown>;
}

function toDocument(manifest: Manifest): Record<string, unknown> {
  return {
    format: MANIFEST_FORMAT,
    session_id: manifest.id,
    kind: manifest.kind,
    status: manifest.status,
    run_id: manifest.runId,
    restores: manifest.restores ?? null,
    command: manifest.command.map(storeBytes),
    workdir: storeBytes(manifest.workingDirectory),
    profile: manifest.profile,
    started_ms: manifest.startedMs,
    ended_ms: manifest.endedMs ?? null,
    exit_code: manifest.exitCode ?? null,
    signal: manifest.signal ?? null,
    durable: manifest.durable,
    heartbeat_ms: manifest.heartbeatMs ?? null,
    roots: manifest.roots.map(({ path, rules }) => ({ path: storeBytes(path), rules: rules.toStored() })),
    snapshots: manifest.snapshots.map((snapshot) => ({
      number: snapshot.number,
      taken_ms: snapshot.takenMs,
      parent: snapshot.parent ?? null,
      label: snapshot.label,
      root_snapshot: snapshot.root.snapshot,
      root_offset: snapshot.root.offset,
      merkle_root: hexHash(snapshot.merkleRoot),
      nodes_sha256: hexHash(snapshot.nodesHash),
      file_count: snapshot.fileCount,
      entry_count: snapshot.entryCount,
      size_bytes: snapshot.sizeBytes,
      stored_bytes: snapshot.storedBytes,
    })),
    counts: manifest.counts ?? null,
    prompts: manifest.prompts,
    git_before: storeHash(manifest.git?.before),
    git_after: storeHash(manifest.git?.after),
  };
}

function storeHash(hash: Bytes | undefined): string | null {
  return hash === undefined ? null : hexHash(hash);
}

function fromDocument(fields: Fields): Manifest {
  return {
    id: bytesFromText(fields.text('session_id')),
    kind: fields.oneOf('kind', ['run', 'restore']),
    status: fields.oneOf('status', ['open', 'complete', 'recovered']),
    runId: fields.text('run_id'),
    restores: fields.optional('restores', () => bytesFromText(fields.text('restores'))),
    command: fields.list('command').map((item) => fields.asBytes('command', item)),
    workingDirectory: fields.bytes('workdir'),
    profile: fields.text('profile'),
    startedMs: fields.time('started_ms'),
    endedMs: fields.optional('ended_ms', () => fields.time('ended_ms')),
    exitCode: fields.optional('exit_code', () => fields.count('exit_code')),
    signal: fields.optional('signal', () => fields.text('signal')),
    durable: fields.flag('durable'),
    heartbeatMs: fields.optional('heartbeat_ms', () => fields.time('heartbeat_ms')),
    roots: fields.list('roots').map((item) => readRoot(fields.inside('roots', item))),
    snapshots: fields.list('snapshots').map((item, index) => readSnapshot(fields.inside('snapshots', item), index)),
    counts: fields.optional('counts', () => readCounts(fields.inside('counts', fields.value('counts')))),
    prompts: fields.optional('prompts', () => fields.flag('prompts')) ?? true,
    git: readGitHashes(fields),
  };
}

function readGitHashes(fields: Fields): Manifest['git'] {
  const [before, after] = ['git_before', 'git_after'].map((name) => fields.optional(name, () => fields.hash(name)));
  return before === undefined ? undefined : { before, after };
}

function readRoot(fields: Fields): TrackedRoot {
  const rules = Rules.fromStored(fields.value('rules'));
  if (rules === undefined) throw fields.wrong('rules');
  const path = fields.bytes('path');
  if (!isSafeRootPath(path)) throw fields.wrong('path');
  return { path, rules };
}

function readSnapshot(fields: Fields, index: number): SnapshotRecord {
  if (fields.count('number') !== index) throw fields.wrong('number');
  const snapshot = fields.count('root_snapshot');
  if (snapshot > index) throw fields.wrong('root_snapshot');
  return {
    number: index,
    takenMs: fields.time('taken_ms'),
    parent: fields.optional('parent', () => fields.count('parent')),
    label: fields.text('label'),
    root: { snapshot, offset: fields.count('root_offset') },
    merkleRoot: fields.hash('merkle_root'),
    nodesHash: fields.hash('nodes_sha256'),
    fileCount: fields.count('file_count'),
    entryCount: fields.count('entry_count'),
    sizeBytes: fields.count('size_bytes'),
    storedBytes: fields.count('stored_bytes'),
  };
}

function readCounts(fields: Fields): ChangeCounts {
  return {
    created: fields.count('created'),
    modified: fields.count('modified'),
    deleted: fields.count('deleted'),
    modeChanged: fields.count('modeChanged'),
  };
}
