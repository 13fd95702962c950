import { type Bytes, bytesAt, displayBytes, putBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { SmallFile } from '../../ports/files.ts';
import type { FoundEntry, FoundPath } from '../../ports/path-facts.ts';
import { loadAssembly } from './assembly.ts';
import { loadLaunch, RUN, type RunLaunch } from './launch/load.ts';
import { mapMemory } from './machine-code.ts';
import { addressOf, errnoName } from './syscalls.ts';
import * as uapi from './uapi.ts';

const WORD_BYTES = 8;
/** struct look_up of look-up.c, and where its words are. */
const WORDS = 9;
const COUNT_AT = 1;
const PATHS_AT = 2;
const DIRECTORY_AT = 7;
const READ_AT = 8;
/** struct small_file of look-up.c: words before the bytes of each file. */
const FILE_WORDS = 4;
const PATHS_BYTES = 32 * 1024;
const ANSWERS_BYTES = 96 * 1024;
/** Names are 255 bytes at most, so that they always fit; and there is room for any one file. */
const FILES_AT_ONCE = 120;
const ENOENT = 2;
const ENOMEM = 12;
const ENOTDIR = 20;
const PERMISSIONS = 0o7777;

/** What a look found: as PathFacts.resolve() answers, or what it throws. */
export type Resolution = FoundPath | SystemError | undefined;

/** Looks up many paths, or reads many files, in one call of look-up.c. */
class LookUps {
  readonly #run: RunLaunch = loadLaunch();
  readonly #words = new BigInt64Array(new ArrayBuffer(WORDS * WORD_BYTES));
  readonly #address = addressOf(new Uint8Array(this.#words.buffer));
  readonly #paths: Uint8Array;
  readonly #answers: Uint8Array;

  /** @throws {Error} where machine code cannot be had. */
  constructor() {
    const memory = mapMemory(PATHS_BYTES + ANSWERS_BYTES);
    this.#paths = memory.bytes.subarray(0, PATHS_BYTES);
    this.#answers = memory.bytes.subarray(PATHS_BYTES);
    this.#words[0] = BigInt(loadAssembly().system);
    this.#words[PATHS_AT] = BigInt(memory.address);
    this.#words[PATHS_AT + 1] = BigInt(memory.address + PATHS_BYTES);
    this.#words[PATHS_AT + 2] = BigInt(ANSWERS_BYTES);
  }

  /** @returns one for each path; undefined where they are too many at once. */
  resolve(paths: readonly Bytes[]): readonly Resolution[] | undefined {
    const words = this.#ask(paths, RUN.resolve);
    return typeof words === 'number' ? undefined : paths.map((path, at) => resolution(path, words, 2 * at));
  }

  /** The entries of a directory, links not followed. @returns undefined where they are too many. @throws {SystemError} */
  list(path: Bytes): readonly FoundEntry[] | undefined {
    const words = this.#ask([path], RUN.list);
    if (typeof words === 'number') {
      if (words === -ENOMEM) return undefined;
      throw new SystemError('open', errnoName(-words), displayBytes(path));
    }
    const entries: FoundEntry[] = [];
    for (let at = 0; at + 1 < words.length; at += 2) {
      const mode = Number(words[at]);
      entries.push({ name: words[at + 1] as Bytes, kind: uapi.fileKind(mode), mode: mode & PERMISSIONS });
    }
    return entries;
  }

  /**
   * Small regular files in an open directory, by name: undefined for what is not read, whatever the reason.
   *
   * @param names Without slashes.
   */
  readFiles(directory: number, names: readonly Bytes[]): readonly (SmallFile | undefined)[] {
    const files: (SmallFile | undefined)[] = [];
    this.#words[DIRECTORY_AT] = BigInt(directory);
    for (let at = 0; at < names.length; ) {
      const some = names.slice(at, at + FILES_AT_ONCE);
      putBytes(this.#paths, `${some.join('\0')}\0` as Bytes);
      this.#words[COUNT_AT] = BigInt(some.length);
      this.#run(this.#address, RUN.read);
      const count = Number(this.#words[READ_AT]);
      this.#takeFiles(count, files);
      at += count;
    }
    return files;
  }

  #takeFiles(count: number, into: (SmallFile | undefined)[]): void {
    // By halves: to read a word of 64 bits makes a bigint each time.
    const halves = new Int32Array(this.#answers.buffer, this.#answers.byteOffset, (2 * ANSWERS_BYTES) / WORD_BYTES);
    for (let taken = 0, at = 0; taken < count; taken++) {
      const half = 2 * at;
      const length = halves[half + 6] ?? 0;
      const from = (at + FILE_WORDS) * WORD_BYTES;
      into.push(
        halves[half] === 0
          ? {
              uid: (halves[half + 2] ?? 0) >>> 0,
              mtimeSeconds: ((halves[half + 4] ?? 0) >>> 0) + (halves[half + 5] ?? 0) * 2 ** 32,
              bytes: bytesAt(this.#answers, from, from + length),
            }
          : undefined,
      );
      at += FILE_WORDS + Math.ceil(length / WORD_BYTES);
    }
  }

  /** @returns the words of the answers, or an errno negated. */
  #ask(paths: readonly Bytes[], what: number): readonly string[] | number {
    const text = `${paths.join('\0')}\0` as Bytes;
    if (text.length > PATHS_BYTES) return -ENOMEM;
    putBytes(this.#paths, text);
    this.#words[COUNT_AT] = BigInt(paths.length);
    const used = this.#run(this.#address, what);
    return used < 0 ? used : bytesAt(this.#answers, 0, used).split('\0');
  }
}

let loaded: { readonly lookUps: LookUps | undefined } | undefined;

/** One for the whole thread, made when it is first wanted. @returns undefined where machine code cannot be had. */
export function loadLookUps(): LookUps | undefined {
  loaded ??= { lookUps: tryLookUps() };
  return loaded.lookUps;
}

function tryLookUps(): LookUps | undefined {
  try {
    return new LookUps();
  } catch (error) {
    // A security module forbids it, or the compiler does not know this processor: plain errors, and one path after the other then.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function resolution(path: Bytes, words: readonly string[], at: number): Resolution {
  const mode = Number(words[at]);
  if (mode >= 0) return { path: words[at + 1] as Bytes, kind: uapi.fileKind(mode), mode: mode & PERMISSIONS };
  return mode === -ENOENT || mode === -ENOTDIR ? undefined : new SystemError('open', errnoName(-mode), displayBytes(path));
}
