import type { Bytes } from '../../bytes.ts';
import { baseName, parentPath } from '../../paths.ts';
import type { Directory } from '../../ports/files.ts';
import {
  decodeRestoreBatch,
  RESULT_BYTES,
  type RestoreBatch,
  type RestoreTask,
  WANTED_AT,
  WANTED_BYTES,
} from '../../rollback/content-wire.ts';
import { FIELD, HASH_BYTES } from '../../rollback/node-codec.ts';
import type { BulkFiles } from '../linux/bulk-files.ts';
import { BENEATH, READ_FILE } from '../linux/file-calls.ts';
import { descriptorOf } from '../linux/files.ts';
import { fixedBuffer } from '../linux/syscalls.ts';

/** Larger files, in which there may be holes, are made the other way. */
const LARGEST_BYTES = 64 * 1024;
/** For a descriptor: contents are linked already. */
const NOWHERE = -1;
const ROOM_BYTES = 16 * LARGEST_BYTES;

/** Makes the plain ones of a batch of files in few calls. */
export class BulkRestore {
  readonly #bulk: BulkFiles;
  readonly #objects: number;
  readonly #undo: number;
  readonly #data = fixedBuffer(ROOM_BYTES);
  readonly #how = fixedBuffer(24);
  readonly #digest = Buffer.from(fixedBuffer(HASH_BYTES).buffer);

  /** @param objects Where the contents are. @param undo Where they are linked to. */
  constructor(bulk: BulkFiles, objects: Directory, undo: Directory) {
    this.#bulk = bulk;
    this.#objects = descriptorOf(objects);
    this.#undo = descriptorOf(undo);
    const how = new DataView(this.#how.buffer);
    how.setUint32(0, READ_FILE, true);
    how.setUint32(16, BENEATH, true);
  }

  /**
   * Writes the results that it can.
   *
   * @param openParent Gives the directory of a file, undefined where the way to it is not as it was.
   * @returns the indices of the tasks that are left.
   */
  run(batch: RestoreBatch, results: Buffer, openParent: (root: number, path: Bytes) => Directory | undefined): number[] {
    const left: number[] = [];
    const tasks = [...decodeRestoreBatch(batch)];
    const wanted = Buffer.from(batch.records.buffer, batch.records.byteOffset, batch.records.byteLength);
    for (let first = 0; first < tasks.length; ) {
      const group = sameDirectory(tasks, first);
      const { root, path } = tasks[first] as RestoreTask;
      const parent = openParent(root, parentPath(path));
      if (parent === undefined) for (const index of group.keys()) left.push(first + index);
      else this.#make(group, descriptorOf(parent), { first, wanted, results, left, undo: batch.isLinked ? NOWHERE : this.#undo });
      first += group.length;
    }
    return left;
  }

  #make(group: readonly RestoreTask[], parent: number, { first, wanted, results, left, undo }: Place): void {
    const extents = new Int32Array(new ArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT * group.length));
    for (let done = 0; done < group.length; ) {
      const records = wanted.subarray((first + done) * WANTED_BYTES);
      const rest = group.length - done;
      const got = this.#bulk.read_objects(
        this.#objects,
        records,
        rest,
        this.#how,
        this.#data,
        ROOM_BYTES,
        LARGEST_BYTES,
        extents,
      );
      for (let index = 0; index < got; index++) if (!this.#isPlain(extents, index, records)) extents[2 * index + 1] = -1;
      const part = group.slice(done, done + got);
      this.#bulk.make_files(
        parent,
        namesOf(part.map(({ temporary }) => temporary)),
        namesOf(part.map(({ path }) => baseName(path))),
        got,
        this.#data,
        extents,
        records,
        this.#objects,
        undo,
        results.subarray((first + done) * RESULT_BYTES),
      );
      for (let index = 0; index < got; index++) {
        const at = first + done + index;
        if ((extents[2 * index + 1] as number) < 0) left.push(at);
        else wanted.copy(results, at * RESULT_BYTES + FIELD.hash, at * WANTED_BYTES + WANTED_AT.hash, (at + 1) * WANTED_BYTES);
      }
      done += got;
    }
  }

  /** Whether the object is what its name says, and does not begin as one with holes would. */
  #isPlain(extents: Int32Array, index: number, wanted: Buffer): boolean {
    const start = extents[2 * index] as number;
    const length = extents[2 * index + 1] as number;
    if (length < 0 || (length > 0 && this.#data[start] === 0)) return false;
    Bun.SHA256.hash(this.#data.subarray(start, start + length), this.#digest);
    const hashAt = index * WANTED_BYTES + WANTED_AT.hash;
    return this.#digest.equals(wanted.subarray(hashAt, hashAt + HASH_BYTES));
  }
}

/** Where a group of tasks stands in its batch. */
interface Place {
  readonly first: number;
  readonly wanted: Buffer;
  readonly results: Buffer;
  readonly left: number[];
  /** Where contents are linked to. */
  readonly undo: number;
}

/** The tasks from `first` on that are in one directory. */
function sameDirectory(tasks: readonly RestoreTask[], first: number): readonly RestoreTask[] {
  const { root, path } = tasks[first] as RestoreTask;
  const parent = parentPath(path);
  const isElsewhere = (task: RestoreTask) => task.root !== root || parentPath(task.path) !== parent;
  const end = tasks.findIndex((task, index) => index > first && isElsewhere(task));
  return tasks.slice(first, end < 0 ? tasks.length : end);
}

/** One after the other, each ended by NUL. */
function namesOf(names: readonly Bytes[]): Buffer {
  const text = `${names.join('\0')}\0`;
  const memory = Buffer.from(fixedBuffer(text.length).buffer);
  memory.write(text, 'latin1');
  return memory;
}
