import { CELL_WORDS, ONE_COLUMN } from './cell-layout.ts';
import type { XtermLine } from './xterm.ts';

const BYTE_MASK = 0xff;

/** What follows the head of a run: a byte for each cell, three for each, or three that hold for all of them. */
const [BYTES, CONTENTS, ONE_FOR_ALL] = [0, 1, 2] as const;
/** The head has a foreground and a background, other ones than the run before. */
const HAS_LOOK = 4;
const CONTENT_BYTES = 3;
const LOOK_BYTES = 8;
/** Kind and count. */
const HEAD_BYTES = 3;
const COUNT_MAXIMUM = 0xffff;

/**
 * A line of the history that nobody looks at, in a byte or so for each cell instead of twelve: runs of cells of one look.
 * What xterm.js keeps beside the cells is kept as it is.
 */
export class PackedLine {
  readonly isWrapped: boolean;
  readonly length: number;
  readonly _combined: XtermLine['_combined'];
  readonly _extendedAttrs: XtermLine['_extendedAttrs'];
  readonly #runs: Uint8Array;

  constructor(line: XtermLine, packer: LinePacker) {
    this.isWrapped = line.isWrapped;
    this.length = line.length;
    this._combined = orNothing(line._combined);
    this._extendedAttrs = orNothing(line._extendedAttrs);
    this.#runs = packer.pack(line._data, line.length);
  }

  /** @param cells Has room for three words a cell, which are all written. */
  unpackTo(cells: Uint32Array): void {
    unpackCells(this.#runs, cells);
  }
}

const NOTHING = {};

/** One empty object for all lines. */
function orNothing<T extends object>(beside: T): T {
  return Object.keys(beside).length > 0 ? beside : (NOTHING as T);
}

/** Packs cells of one line after the other. */
export class LinePacker {
  /** As large as the widest line has needed. */
  #room = new Uint8Array(1024);

  pack(cells: Uint32Array, length: number): Uint8Array {
    // At worst each cell is a run of its own.
    const worst = (length + 1) * (HEAD_BYTES + LOOK_BYTES + CONTENT_BYTES);
    if (this.#room.length < worst) this.#room = new Uint8Array(worst);
    const room = this.#room;
    const tail = startOfTail(cells, length);
    let at = 0;
    for (let from = 0, to = 0; from < length; from = to) {
      to = from < tail ? endOfRun(cells, from, tail) : Math.min(length, from + COUNT_MAXIMUM);
      const kind = from < tail ? kindOf(cells, from) : ONE_FOR_ALL;
      const hasLook = from === 0 || !isSameLook(cells, from - 1, from);
      room[at++] = hasLook ? kind | HAS_LOOK : kind;
      room[at++] = to - from;
      room[at++] = (to - from) >>> 8;
      if (hasLook) {
        at = put(room, at, cells[from * CELL_WORDS + 1] ?? 0, LOOK_BYTES / 2);
        at = put(room, at, cells[from * CELL_WORDS + 2] ?? 0, LOOK_BYTES / 2);
      }
      const last = kind === ONE_FOR_ALL ? from + 1 : to;
      const bytes = kind === BYTES ? 1 : CONTENT_BYTES;
      for (let column = from; column < last; column++) at = put(room, at, cells[column * CELL_WORDS] ?? 0, bytes);
    }
    return room.slice(0, at);
  }
}

function unpackCells(runs: Uint8Array, cells: Uint32Array): void {
  let foreground = 0;
  let background = 0;
  let word = 0;
  for (let at = 0; at < runs.length; ) {
    const head = runs[at] ?? 0;
    const end = word + ((runs[at + 1] ?? 0) | ((runs[at + 2] ?? 0) << 8)) * CELL_WORDS;
    at += HEAD_BYTES;
    if ((head & HAS_LOOK) !== 0) {
      foreground = (take(runs, at) | ((runs[at + 3] ?? 0) << 24)) >>> 0;
      background = (take(runs, at + 4) | ((runs[at + 7] ?? 0) << 24)) >>> 0;
      at += LOOK_BYTES;
    }
    const kind = head & ~HAS_LOOK;
    const one = kind === ONE_FOR_ALL ? take(runs, at) : 0;
    if (kind === ONE_FOR_ALL) at += CONTENT_BYTES;
    for (; word < end; word += CELL_WORDS) {
      if (kind === BYTES) cells[word] = ONE_COLUMN | (runs[at++] ?? 0);
      else if (kind === ONE_FOR_ALL) cells[word] = one;
      else {
        cells[word] = take(runs, at);
        at += CONTENT_BYTES;
      }
      cells[word + 1] = foreground;
      cells[word + 2] = background;
    }
  }
}

/** From there on all cells are the same. */
function startOfTail(cells: Uint32Array, length: number): number {
  let tail = length - 1;
  while (tail > 0 && isSameLook(cells, tail - 1, tail) && cells[(tail - 1) * CELL_WORDS] === cells[tail * CELL_WORDS]) tail--;
  return tail;
}

function endOfRun(cells: Uint32Array, from: number, end: number): number {
  const kind = kindOf(cells, from);
  let to = from + 1;
  while (to < end && to - from < COUNT_MAXIMUM && kindOf(cells, to) === kind && isSameLook(cells, from, to)) to++;
  return to;
}

function kindOf(cells: Uint32Array, column: number): typeof BYTES | typeof CONTENTS {
  return ((cells[column * CELL_WORDS] ?? 0) & ~BYTE_MASK) === ONE_COLUMN ? BYTES : CONTENTS;
}

function isSameLook(cells: Uint32Array, one: number, other: number): boolean {
  // Not as one list: it is asked for each cell, and code that is not compiled yet would make that many.
  const a = one * CELL_WORDS;
  const b = other * CELL_WORDS;
  return cells[a + 1] === cells[b + 1] && cells[a + 2] === cells[b + 2];
}

/** Little-endian. @returns the place behind it. */
function put(room: Uint8Array, at: number, word: number, bytes: number): number {
  for (let byte = 0; byte < bytes; byte++) room[at + byte] = word >>> (8 * byte);
  return at + bytes;
}

function take(runs: Uint8Array, at: number): number {
  return (runs[at] ?? 0) | ((runs[at + 1] ?? 0) << 8) | ((runs[at + 2] ?? 0) << 16);
}
