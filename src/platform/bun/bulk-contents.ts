import type { Clock } from '../../ports/clock.ts';
import { RESULT_BYTES, RESULT_KINDS, type TaskBatch } from '../../rollback/content-wire.ts';
import { RACY_WINDOW_COARSE_MS, RACY_WINDOW_MS } from '../../rollback/entry.ts';
import { FIELD, HASH_BYTES } from '../../rollback/node-codec.ts';
import type { BulkFiles } from '../linux/bulk-files.ts';
import { BENEATH, READ_FILE } from '../linux/file-calls.ts';
import { fixedBuffer } from '../linux/syscalls.ts';

/** Larger files are read in pieces, by the other way. */
const LARGEST_BYTES = 256 * 1024;
/** What is read before it is hashed and written: small enough to be still in the processor's cache then. */
const ROOM_BYTES = 4 * LARGEST_BYTES;
/** The prefix of temporary names and a number of ten digits. */
const TEMPORARY_NAME_BYTES = 64;
const NONE = -1;

export interface BulkInput {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Descriptors of the directories that tasks are relative to. */
  readonly roots: readonly number[];
  /** Descriptors of `objects/` of this session and the earlier one. */
  readonly objects: number | undefined;
  readonly earlier: number | undefined;
  /** Makes temporary names unique; undefined for a session that is not listed and needs none. */
  readonly writer: string | undefined;
  readonly maxFileBytes: number;
}

/** Does the plain cases of a batch in few calls. */
export class BulkContents {
  readonly #bulk: BulkFiles;
  readonly #input: BulkInput;
  readonly #data = fixedBuffer(ROOM_BYTES);
  readonly #how = fixedBuffer(24);
  readonly #prefix = fixedBuffer(TEMPORARY_NAME_BYTES);
  #temporaryCount = 0;
  #storedBytes = 0;

  constructor(bulk: BulkFiles, input: BulkInput) {
    this.#bulk = bulk;
    this.#input = input;
    const how = new DataView(this.#how.buffer);
    how.setUint32(0, READ_FILE, true);
    how.setUint32(16, BENEATH, true);
    if (input.writer !== undefined) Buffer.from(this.#prefix.buffer).write(`bulk-${input.writer}-`);
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Writes the results that it can. @returns the indices of the tasks that are left. */
  run({ roots, paths }: TaskBatch, results: Buffer): number[] {
    const left: number[] = [];
    const names = Buffer.from(new ArrayBuffer(paths.length + 1));
    names.write(paths, 'latin1');
    let start = 0;
    for (let index = 0; index < roots.length; ) {
      const root = roots[index] as number;
      const first = index;
      const firstName = start;
      while (index < roots.length && roots[index] === root) {
        start = names.indexOf(0, start) + 1;
        index++;
      }
      this.#read({ root, paths: names.subarray(firstName), first, count: index - first }, results, left);
    }
    return left;
  }

  /** Takes over the contents of entries (known-contents.ts), marks those that it could not, and tells how many they are. */
  takeOver(entries: Buffer): number | undefined {
    const { objects, earlier } = this.#input;
    if (objects === undefined || earlier === undefined) return undefined;
    return this.#bulk.link_known(earlier, objects, entries, entries.length);
  }

  /** Reads, hashes and stores consecutive tasks of one root; adds those that are left to `left`. */
  #read({ root, paths, first, count }: Group, results: Buffer, left: number[]): void {
    const { clock, objects, earlier, maxFileBytes } = this.#input;
    const directory = this.#input.roots[root] as number;
    // A file that fills the room may go on: one byte more than the largest that is wanted.
    const largest = Math.min(LARGEST_BYTES, maxFileBytes + 1);
    const extents = new Int32Array(new ArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT * count));
    let pathAt = 0;
    for (let done = 0; done < count; ) {
      const records = results.subarray((first + done) * RESULT_BYTES);
      const clockAt = Float64Array.of(clock.nowMs(), RACY_WINDOW_MS, RACY_WINDOW_COARSE_MS);
      const rest = paths.subarray(pathAt);
      const got = this.#bulk.read_files(
        directory,
        rest,
        count - done,
        this.#how,
        this.#data,
        ROOM_BYTES,
        largest,
        clockAt,
        extents,
        records,
      );
      this.#hash(extents, records, got);
      if (objects !== undefined) {
        const stored = this.#bulk.store_objects(
          earlier ?? NONE,
          objects,
          this.#prefix,
          this.#temporaryCount,
          this.#data,
          extents,
          records,
          got,
        );
        this.#storedBytes += stored;
        this.#temporaryCount += got;
      }
      for (let index = 0; index < got; index++) {
        if ((extents[2 * index + 1] as number) < 0) left.push(first + done + index);
        pathAt = paths.indexOf(0, pathAt) + 1;
      }
      done += got;
    }
  }

  #hash(extents: Int32Array, records: Buffer, count: number): void {
    for (let index = 0; index < count; index++) {
      const start = extents[2 * index] as number;
      const length = extents[2 * index + 1] as number;
      if (length < 0) continue;
      const at = index * RESULT_BYTES;
      const into = records.subarray(at + FIELD.hash, at + FIELD.hash + HASH_BYTES);
      Bun.SHA256.hash(this.#data.subarray(start, start + length), into);
      records[at] = RESULT_KINDS.read;
    }
  }
}

/** Tasks that follow one another, of one root. */
interface Group {
  readonly root: number;
  /** The names from the first on, each ended by NUL. */
  readonly paths: Buffer;
  readonly first: number;
  readonly count: number;
}
