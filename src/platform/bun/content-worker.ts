import type { Bytes } from '../../bytes.ts';
import { isErrno, SystemError } from '../../errors.ts';
import { baseName, parentPath } from '../../paths.ts';
import type { WorkerOptions } from '../../ports/content-workers.ts';
import type { Directory } from '../../ports/files.ts';
import { decodeBatch } from '../../rollback/batching-reader.ts';
import { type ContentDeps, captureContent } from '../../rollback/content.ts';
import {
  decodeRestoreBatch,
  RESULT_BYTES,
  type RestoreBatch,
  readHash,
  type TaskBatch,
  writeResult,
} from '../../rollback/content-wire.ts';
import { takeOver } from '../../rollback/inline-reader.ts';
import { knownFiles, NOT_TAKEN_OVER } from '../../rollback/known-contents.ts';
import { FIELD } from '../../rollback/node-codec.ts';
import { CHUNK_BYTES, ObjectStore } from '../../rollback/objects.ts';
import { openReadable } from '../../rollback/open-root.ts';
import { restoreMissing } from '../../rollback/restore-file.ts';
import { type BulkFiles, loadBulkFiles } from '../linux/bulk-files.ts';
import { createLinuxFiles, descriptorOf } from '../linux/files.ts';
import { createSystemClock } from '../system-clock.ts';
import { BulkContents } from './bulk-contents.ts';
import { BulkRestore } from './bulk-restore.ts';
import { createBunHash } from './hash.ts';

/** The thread that reads, hashes and stores contents: see content-workers.ts for the other end. */
declare const self: Worker;

export type ToWorker =
  | { readonly kind: 'options'; readonly options: WorkerOptions; readonly writer: string }
  | { readonly kind: 'batch'; readonly id: number; readonly batch: TaskBatch; readonly into: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'known'; readonly id: number; readonly entries: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'restore'; readonly id: number; readonly batch: RestoreBatch }
  | { readonly kind: 'total'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'results'; readonly id: number; readonly results: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'total'; readonly id: number; readonly storedBytes: number }
  | { readonly kind: 'failed'; readonly id: number; readonly call: string; readonly errno: string; readonly message: string };

/** Undefined for one that has gone, that a link leads to by now, or that is closed. */
type Roots = readonly (Directory | undefined)[];
/** For a descriptor: every call says that there is none. */
const NOWHERE = -1;

let perform: ((message: Exclude<ToWorker, { kind: 'options' }>) => FromWorker) | undefined;

self.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.kind === 'options') {
    perform = performerOrFailure(message.options, message.writer);
    return;
  }
  const answer = perform?.(message);
  if (answer?.kind === 'results') self.postMessage(answer, [answer.results.buffer]);
  else self.postMessage(answer);
};

/** What keeps it from beginning is the answer to all that it is asked: thrown here it would come as the text of an uncaught error. */
function performerOrFailure(options: WorkerOptions, writer: string): typeof perform {
  try {
    return performerFor(options, writer);
  } catch (error) {
    return ({ id }) => failed(id, error);
  }
}

/** Only text crosses threads: the other end makes the error again. */
function failed(id: number, error: unknown): FromWorker {
  const { call, errno } = error instanceof SystemError ? error : { call: '', errno: '' };
  return { kind: 'failed', id, call, errno, message: error instanceof Error ? error.message : String(error) };
}

function performerFor(options: WorkerOptions, writer: string) {
  const files = createLinuxFiles();
  const open = (path: Bytes | undefined) => (path === undefined ? undefined : files.openDirectory(path));
  const roots = options.roots.map((path) => openReadable(files, path));
  const objects = open(options.objects);
  const store = objects === undefined ? undefined : new ObjectStore(objects, { writer, isListed: options.isListed });
  const deps = {
    hash: createBunHash(),
    clock: createSystemClock(),
    store,
    earlier: open(options.earlierObjects),
    chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)),
    maxFileBytes: options.maxFileBytes,
  };
  const opened = { roots, objects, earlier: deps.earlier };
  const functions = loadBulkFiles();
  const bulk = functions && openBulk(functions, options, writer, opened);
  const restore =
    functions && objects && deps.earlier && options.isListed ? new BulkRestore(functions, deps.earlier, objects) : undefined;
  return (message: Exclude<ToWorker, { kind: 'options' }>): FromWorker => {
    const storedBytes = (store?.storedBytes ?? 0) + (bulk?.storedBytes ?? 0);
    if (message.kind === 'total') return { kind: 'total', id: message.id, storedBytes };
    try {
      const results = performWork(message, { roots, deps, bulk, restore });
      return { kind: 'results', id: message.id, results: new Uint8Array(results.buffer as ArrayBuffer) };
    } catch (error) {
      return failed(message.id, error);
    }
  };
}

/** What a thread works with. */
interface Tools {
  readonly roots: Roots;
  readonly deps: ContentDeps;
  readonly bulk: BulkContents | undefined;
  readonly restore: BulkRestore | undefined;
}

function performWork(message: Exclude<ToWorker, { kind: 'options' | 'total' }>, tools: Tools): Buffer {
  switch (message.kind) {
    case 'batch':
      return runBatch(message.batch, message.into, tools);
    case 'known':
      return takeOverEntries(Buffer.from(message.entries.buffer), tools);
    case 'restore':
      return restoreBatch(message.batch, tools);
  }
}

/** @returns nothing when all were taken over, else the entries, marked. */
function takeOverEntries(entries: Buffer, { deps, bulk }: Tools): Buffer {
  let left = bulk?.takeOver(entries);
  if (left === undefined) {
    left = 0;
    for (const at of knownFiles(entries, 0, entries.length)) {
      if (takeOver(readHash(entries, at), deps)) continue;
      entries[at + FIELD.reason] = NOT_TAKEN_OVER;
      left += 1;
    }
  }
  return left === 0 ? Buffer.from(new ArrayBuffer(0)) : entries;
}

function openBulk(
  bulk: BulkFiles,
  { isListed, maxFileBytes }: WorkerOptions,
  writer: string,
  { roots, objects, earlier }: Opened,
): BulkContents {
  return new BulkContents(bulk, {
    clock: createSystemClock(),
    roots: roots.map((root) => (root === undefined ? NOWHERE : descriptorOf(root))),
    objects: objects && descriptorOf(objects),
    earlier: earlier && descriptorOf(earlier),
    writer: isListed ? writer : undefined,
    maxFileBytes,
  });
}

/** The directories that the thread works in. */
interface Opened {
  readonly roots: Roots;
  readonly objects: Directory | undefined;
  readonly earlier: Directory | undefined;
}

function runBatch(batch: TaskBatch, into: Uint8Array<ArrayBuffer>, { roots, deps, bulk }: Tools): Buffer {
  const results = Buffer.from(into.buffer);
  results.fill(0);
  const left = bulk?.run(batch, results);
  if (left?.length === 0) return results;
  const tasks = decodeBatch(batch);
  for (const index of left ?? tasks.keys()) {
    const { root, path } = tasks[index] as (typeof tasks)[number];
    const directory = roots[root];
    writeResult(results, index, directory === undefined ? { kind: 'vanished' } : captureContent(directory, path, deps));
  }
  return results;
}

function restoreBatch(batch: RestoreBatch, { roots, deps: contents, restore: bulk }: Tools): Buffer {
  const { hash, chunk, store, earlier } = contents;
  if (store === undefined || earlier === undefined) throw new TypeError('A restore needs both object directories');
  const results = Buffer.from(new ArrayBuffer(batch.roots.length * RESULT_BYTES));
  using parents = new ParentCache(roots);
  const left = bulk?.run(batch, results, (root, path) => parents.open(root, path));
  if (left?.length === 0) return results;
  const tasks = [...decodeRestoreBatch(batch)];
  const deps = { hash, chunk, objects: earlier, undo: store };
  for (const index of left ?? tasks.keys()) {
    const { root, path, temporary, want } = tasks[index] as (typeof tasks)[number];
    const parent = parents.open(root, parentPath(path));
    const missing = { name: baseName(path), temporary, want };
    writeResult(results, index, parent === undefined ? { kind: 'vanished' } : restoreMissing({ ...missing, parent }, deps));
  }
  return results;
}

/** Keeps the directory used last open: the files of one directory come one after the other. */
class ParentCache implements Disposable {
  readonly #roots: Roots;
  #last: { readonly root: number; readonly path: Bytes; readonly directory: Directory } | undefined;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  /** @returns undefined where there is no such directory, or a link on the way. */
  open(root: number, path: Bytes): Directory | undefined {
    if (this.#last?.root === root && this.#last.path === path) return this.#last.directory;
    this[Symbol.dispose]();
    try {
      const directory = this.#roots[root]?.openDirectory(path);
      if (directory === undefined) return undefined;
      this.#last = { root, path, directory };
      return directory;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV')) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#last?.directory[Symbol.dispose]();
    this.#last = undefined;
  }
}
