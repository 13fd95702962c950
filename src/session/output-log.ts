import type { Bytes } from '../bytes.ts';
import { isErrno, SystemError } from '../errors.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import type { TerminalSize } from '../ports/pty.ts';
import { removeUnlessMissing } from './remove-file.ts';

/** `sessions/<id>.log` is no larger. */
export const LOG_BYTES_MAXIMUM = 8 * 1024 * 1024;
/** What is left of it when it would be. */
const KEPT_BYTES = LOG_BYTES_MAXIMUM / 2;
const TIMES_BYTES_MAXIMUM = LOG_BYTES_MAXIMUM / 2;
/** So long after something was written it is in the file, unless the disk takes nothing. */
const FLUSH_MS = 500;
/** Output is gathered in blocks, which a flood uses again: copies of all of it would be garbage that nobody collects in time. */
const BLOCK_BYTES = 64 * 1024;
/** What is written within this time has one entry. */
const MOMENT_MS = 20;
const FILE_MODE = 0o600;
const NEWLINE = 0x0a;

export function logName(id: string): Bytes {
  return `${id}.log` as Bytes;
}

export function timesName(id: string): Bytes {
  return `${id}.times` as Bytes;
}

/**
 * The tail of what a command wrote: `<id>.log` holds the bytes, `<id>.times` when they came: lines of JSON, `[milliseconds,
 * end]` with the number of bytes since the start, or `[milliseconds, columns, rows]` for a change of size. Written some time
 * after the output, in pieces of their own; a disk that takes nothing loses output of the log and nothing else.
 */
export class OutputLog implements Disposable {
  readonly #sessions: Directory;
  readonly #id: string;
  readonly #nowMs: () => number;
  readonly #startMs: number;
  /** All but the last one are full. */
  #waiting: { readonly bytes: Uint8Array; length: number }[] = [];
  readonly #spare: Uint8Array[] = [];
  /** What came before that which waits was left out. */
  #isCut = false;
  #times: string[] = [];
  #momentMs = Number.NEGATIVE_INFINITY;
  #totalBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #log: OpenFile | undefined;
  #timesFile: OpenFile | undefined;

  constructor(sessions: Directory, id: string, nowMs: () => number) {
    this.#sessions = sessions;
    this.#id = id;
    this.#nowMs = nowMs;
    this.#startMs = nowMs();
  }

  output(data: Uint8Array): void {
    this.#keep(data);
    this.#totalBytes += data.length;
    const nowMs = this.#nowMs();
    if (nowMs - this.#momentMs < MOMENT_MS && this.#times.length > 0) this.#times.pop();
    else this.#momentMs = nowMs;
    this.#times.push(`[${Math.round(this.#momentMs - this.#startMs)},${this.#totalBytes}]\n`);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  #keep(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      let last = this.#waiting.at(-1);
      if (last === undefined || last.length === BLOCK_BYTES) {
        const oldest = this.#isTooMuch() ? this.#waiting.shift()?.bytes : undefined;
        this.#isCut ||= oldest !== undefined;
        last = { bytes: oldest ?? this.#spare.pop() ?? new Uint8Array(BLOCK_BYTES), length: 0 };
        this.#waiting.push(last);
      }
      const piece = data.subarray(at, at + BLOCK_BYTES - last.length);
      last.bytes.set(piece, last.length);
      last.length += piece.length;
      at += piece.length;
    }
  }

  /** A flood: what would be cut off again is not written. */
  #isTooMuch(): boolean {
    const waitingBytes = this.#waiting.length * BLOCK_BYTES;
    return waitingBytes > KEPT_BYTES && (sizeOf(this.#log) ?? 0) + waitingBytes > LOG_BYTES_MAXIMUM;
  }

  resized({ columns, rows }: TerminalSize): void {
    this.#times.push(`[${Math.round(this.#nowMs() - this.#startMs)},${columns},${rows}]\n`);
    this.#momentMs = Number.NEGATIVE_INFINITY;
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#spare.length = 0;
    if (this.#waiting.length > 0 || this.#times.length > 0) this.#write();
    // Given back when nothing more comes.
    if (this.#spare.length > 0) this.#timer = setTimeout(() => this.flush(), FLUSH_MS);
  }

  #write(): void {
    // Of a command that wrote nothing, or never ran, there is no log.
    if (this.#totalBytes === 0) return;
    const waiting = this.#waiting;
    const isCut = this.#isCut;
    const data = waiting.map(({ bytes, length }) => bytes.subarray(0, length));
    const times = Buffer.from(this.#times.join(''), 'latin1');
    this.#waiting = [];
    this.#isCut = false;
    this.#times = [];
    const before = sizeOf(this.#log) ?? 0;
    let isLogged = false;
    try {
      this.#log = this.#append(this.#log, logName(this.#id), data, { maximumBytes: LOG_BYTES_MAXIMUM, isCut });
      isLogged = true;
      this.#timesFile = this.#append(this.#timesFile, timesName(this.#id), [times], { maximumBytes: TIMES_BYTES_MAXIMUM });
    } catch (error) {
      // A full disk, or a directory that is gone: the session goes on without this piece of its log.
      if (!(error instanceof SystemError)) throw error;
      // Times count what is in the log.
      if (!isLogged) this.#totalBytes -= bytesOf(data) - ((sizeOf(this.#log) ?? before) - before);
    }
    if (waiting.length > 1) this.#spare.push(...waiting.map(({ bytes }) => bytes));
  }

  /** What is kept, as far as it can be read. */
  read(): Uint8Array {
    this.flush();
    return readKept(this.#sessions, logName(this.#id));
  }

  [Symbol.dispose](): void {
    this.flush();
    this.#log?.[Symbol.dispose]();
    this.#timesFile?.[Symbol.dispose]();
  }

  /** @param isCut It does not follow what is there already: that goes, or nothing would tell that something is missing in between. */
  #append(
    open: OpenFile | undefined,
    name: Bytes,
    data: readonly Uint8Array[],
    { maximumBytes, isCut = false }: { readonly maximumBytes: number; readonly isCut?: boolean },
  ): OpenFile {
    const file = open ?? this.#create(name);
    if (!isCut && file.stat().sizeBytes + bytesOf(data) <= maximumBytes) {
      for (const piece of data) file.write(piece);
      return file;
    }
    return this.#shorten(file, name, data, maximumBytes / 2);
  }

  /** What an earlier session of the same id left behind is gone with its record. */
  #create(name: Bytes): OpenFile {
    removeUnlessMissing(this.#sessions, name);
    return this.#sessions.openForAppend(name, FILE_MODE);
  }

  /** Replaced as a whole: a reader has the longer one or the shorter one. */
  #shorten(file: OpenFile, name: Bytes, data: readonly Uint8Array[], keptBytes: number): OpenFile {
    const temporary = `${name}.new` as Bytes;
    removeUnlessMissing(this.#sessions, temporary);
    using before = bytesOf(data) >= keptBytes ? undefined : openKept(this.#sessions, name);
    const next = this.#sessions.openForAppend(temporary, FILE_MODE);
    try {
      writeLastLines(next, before, data, keptBytes);
      this.#sessions.rename(temporary, this.#sessions, name);
    } catch (error) {
      next[Symbol.dispose]();
      // On a full disk it would keep the room that the next piece needs.
      removeUnlessMissing(this.#sessions, temporary);
      throw error;
    }
    file[Symbol.dispose]();
    return next;
  }
}

/** The bytes of a file of a session; nothing where there is none, or something else than a regular file. */
export function readKept(sessions: Directory, name: Bytes): Uint8Array {
  using file = openKept(sessions, name);
  if (file === undefined) return new Uint8Array();
  const data = new Uint8Array(Math.min(file.stat().sizeBytes, LOG_BYTES_MAXIMUM));
  let length = 0;
  for (let read = 1; read > 0 && length < data.length; length += read) read = file.read(data.subarray(length));
  return data.subarray(0, length);
}

function openKept(sessions: Directory, name: Bytes): OpenFile | undefined {
  try {
    const file = sessions.openFile(name);
    if (file.stat().kind === 'file') return file;
    file[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Undefined also where the system cannot tell any more, as of a file that another host has removed. */
function sizeOf(file: OpenFile | undefined): number | undefined {
  try {
    return file?.stat().sizeBytes;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return undefined;
  }
}

function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((bytes, { length }) => bytes + length, 0);
}

/** What begins with a line in the last bytes of `before` and `data`; all of those where no line ends. */
function writeLastLines(into: OpenFile, before: OpenFile | undefined, data: readonly Uint8Array[], keptBytes: number): void {
  const beforeBytes = before?.stat().sizeBytes ?? 0;
  const cutBytes = Math.max(0, beforeBytes + bytesOf(data) - keptBytes);
  const pieces = () => piecesOf(before, data);
  const start = behindLine(pieces(), cutBytes) ?? cutBytes;
  let at = 0;
  for (const piece of pieces()) {
    if (at + piece.length > start) into.write(piece.subarray(Math.max(0, start - at)));
    at += piece.length;
  }
}

/** A file goes through one block: copies of megabytes would be garbage that nobody collects in time. */
function* piecesOf(file: OpenFile | undefined, data: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
  if (file !== undefined) {
    const block = new Uint8Array(BLOCK_BYTES);
    file.rewind();
    for (let length = file.read(block); length > 0; length = file.read(block)) yield block.subarray(0, length);
  }
  yield* data;
}

/** Where the first line has ended that ends behind `from`. */
function behindLine(pieces: Iterable<Uint8Array>, from: number): number | undefined {
  let at = 0;
  for (const piece of pieces) {
    const end = from < at + piece.length ? piece.indexOf(NEWLINE, Math.max(0, from - at)) : -1;
    if (end >= 0) return at + end + 1;
    at += piece.length;
  }
  return undefined;
}
