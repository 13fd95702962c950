import { diffArrays } from 'diff';
import type { Bytes } from '../bytes.ts';

/**
 * The difference of two texts, line by line, in memory that does not grow with them: both are read twice, once to
 * find the edits and once to write the lines.
 */

/** After `equal` lines that are the same, `removed` lines of the one are replaced by `added` lines of the other. */
export interface Edit {
  readonly equal: number;
  readonly removed: number;
  readonly added: number;
}

/** Of each text so much is compared at once. */
const WINDOW_BYTES = 1024 * 1024;
/** A larger difference is written as everything removed and everything added, which is as valid. */
const EDITS_MAXIMUM = 2000;
/** Where a window was too different the next ones probably are too. */
const EDITS_MAXIMUM_AFTER_FAILURE = 200;

/**
 * The lines of a text, each with its newline; the last one may have none.
 *
 * @param pieces The text in pieces of any size, which may be views of memory that is used again.
 */
export function* splitLines(pieces: Iterable<Uint8Array>): Generator<Bytes> {
  let rest = '';
  for (const piece of pieces) {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = text.slice(start, end + 1);
      yield (rest === '' ? line : `${rest}${line}`) as Bytes;
      rest = '';
      start = end + 1;
    }
    rest += text.slice(start);
  }
  if (rest !== '') yield rest as Bytes;
}

/** One text, read ahead by as much as is compared at once. */
class Window {
  readonly #lines: Iterator<Bytes>;
  lines: Bytes[] = [];
  #bytes = 0;
  isAtEnd = false;

  constructor(lines: Iterable<Bytes>) {
    this.#lines = lines[Symbol.iterator]();
  }

  fill(): void {
    while (!this.isAtEnd && this.#bytes < WINDOW_BYTES) {
      const { done, value } = this.#lines.next();
      if (done === true) this.isAtEnd = true;
      else {
        this.lines.push(value);
        this.#bytes += value.length;
      }
    }
  }

  drop(count: number): void {
    for (const line of this.lines.splice(0, count)) this.#bytes -= line.length;
  }

  get isEmpty(): boolean {
    return this.isAtEnd && this.lines.length === 0;
  }

  [Symbol.dispose](): void {
    this.#lines.return?.();
  }
}

/** The edits that make `after` of `before`, in order; the last one may have nothing but equal lines. */
export function diffLines(before: Iterable<Bytes>, after: Iterable<Bytes>): Edit[] {
  using left = new Window(before);
  using right = new Window(after);
  const edits = new EditList();
  let editsMaximum = EDITS_MAXIMUM;
  for (;;) {
    left.fill();
    right.fill();
    if (left.isEmpty && right.isEmpty) return edits.finish();
    const same = commonStart(left.lines, right.lines);
    if (same > 0) {
      edits.equal(same);
      left.drop(same);
      right.drop(same);
      continue;
    }
    if (left.isEmpty || right.isEmpty) {
      edits.replace(left.lines.length, right.lines.length);
      left.drop(left.lines.length);
      right.drop(right.lines.length);
      continue;
    }
    if (!compareWindows(left, right, edits, editsMaximum)) editsMaximum = EDITS_MAXIMUM_AFTER_FAILURE;
  }
}

function commonStart(left: readonly Bytes[], right: readonly Bytes[]): number {
  const most = Math.min(left.length, right.length);
  let count = 0;
  while (count < most && left[count] === right[count]) count += 1;
  return count;
}

/** @returns false when they were too different to be compared. */
function compareWindows(left: Window, right: Window, edits: EditList, maxEditLength: number): boolean {
  const parts = diffArrays(left.lines, right.lines, { maxEditLength });
  if (parts === undefined) {
    edits.replace(left.lines.length, right.lines.length);
    left.drop(left.lines.length);
    right.drop(right.lines.length);
    return false;
  }
  const isWhole = left.isAtEnd && right.isAtEnd;
  // What comes after the last agreement may agree with lines that are not read yet.
  const lastEqual = parts.findLastIndex(({ added, removed }) => !added && !removed);
  const certain = isWhole || lastEqual < 0 ? parts : parts.slice(0, lastEqual + 1);
  let [taken, given] = [0, 0];
  for (const { added, removed, value } of certain) {
    if (added) edits.replace(0, value.length);
    else if (removed) edits.replace(value.length, 0);
    else edits.equal(value.length);
    if (!added) taken += value.length;
    if (!removed) given += value.length;
  }
  left.drop(taken);
  right.drop(given);
  return true;
}

class EditList {
  readonly #edits: Edit[] = [];
  #equal = 0;
  #removed = 0;
  #added = 0;

  equal(count: number): void {
    if (this.#removed + this.#added > 0) this.#push();
    this.#equal += count;
  }

  replace(removed: number, added: number): void {
    this.#removed += removed;
    this.#added += added;
  }

  finish(): Edit[] {
    if (this.#equal + this.#removed + this.#added > 0) this.#push();
    return this.#edits;
  }

  #push(): void {
    this.#edits.push({ equal: this.#equal, removed: this.#removed, added: this.#added });
    [this.#equal, this.#removed, this.#added] = [0, 0, 0];
  }
}

/** Lines that changed, in the way that `diff --stat` counts them. */
export function countEdits(edits: readonly Edit[]): { readonly added: number; readonly removed: number } {
  let [added, removed] = [0, 0];
  for (const edit of edits) {
    added += edit.added;
    removed += edit.removed;
  }
  return { added, removed };
}

/** Edits that stand together, with the lines around them that are the same. Starts count from 1. */
export interface Hunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  /** The first one's `equal` is the context before; between two the lines that both texts have. */
  readonly edits: readonly Edit[];
  /** Lines of context after the last edit. */
  readonly trailing: number;
}

/** Groups edits into hunks with `context` lines around each; Infinity gives one hunk with all of the text. */
export function groupHunks(edits: readonly Edit[], context: number): Hunk[] {
  const hunks: Hunk[] = [];
  let [oldAt, newAt] = [1, 1];
  let open: { oldStart: number; newStart: number; edits: Edit[] } | undefined;
  const close = (following: number) => {
    if (open === undefined) return;
    const trailing = Math.min(following, context);
    const { oldStart, newStart, edits: own } = open;
    const oldLines = sum(own, ({ equal, removed }) => equal + removed) + trailing;
    const newLines = sum(own, ({ equal, added }) => equal + added) + trailing;
    hunks.push({ oldStart, oldLines, newStart, newLines, edits: own, trailing });
    open = undefined;
  };
  for (const edit of edits) {
    const isChange = edit.removed + edit.added > 0;
    if (open !== undefined && (!isChange || edit.equal > 2 * context)) close(edit.equal);
    if (isChange && open === undefined) {
      const leading = Math.min(edit.equal, context);
      const skipped = edit.equal - leading;
      open = { oldStart: oldAt + skipped, newStart: newAt + skipped, edits: [{ ...edit, equal: leading }] };
    } else if (isChange) open?.edits.push(edit);
    oldAt += edit.equal + edit.removed;
    newAt += edit.equal + edit.added;
  }
  close(0);
  return hunks;
}

function sum(edits: readonly Edit[], pick: (edit: Edit) => number): number {
  return edits.reduce((total, edit) => total + pick(edit), 0);
}

/** A line as a hunk shows it: its number in each text where it is in it. */
export interface HunkLine {
  readonly mark: ' ' | '-' | '+';
  /** With its newline, where it has one. */
  readonly text: Bytes;
  readonly oldNumber: number;
  readonly newNumber: number;
}

export type HunkEvent = { readonly hunk: Hunk } | HunkLine;

/** Hunks with their lines: first each hunk, then what is in it. */
export function* walkHunks(hunks: readonly Hunk[], before: Iterable<Bytes>, after: Iterable<Bytes>): Generator<HunkEvent> {
  using left = new Cursor(before);
  using right = new Cursor(after);
  for (const hunk of hunks) {
    left.skipTo(hunk.oldStart);
    right.skipTo(hunk.newStart);
    yield { hunk };
    for (const { equal, removed, added } of hunk.edits) {
      yield* sameLines(left, right, equal);
      for (const text of left.take(removed)) yield { mark: '-', text, oldNumber: left.number - 1, newNumber: right.number };
      for (const text of right.take(added)) yield { mark: '+', text, oldNumber: left.number, newNumber: right.number - 1 };
    }
    yield* sameLines(left, right, hunk.trailing);
  }
}

function* sameLines(left: Cursor, right: Cursor, count: number): Generator<HunkLine> {
  for (const text of right.take(count)) {
    left.skipTo(left.number + 1);
    yield { mark: ' ', text, oldNumber: left.number - 1, newNumber: right.number - 1 };
  }
}

/** Reads the lines of one text, from 1 on. */
class Cursor {
  readonly #lines: Iterator<Bytes>;
  /** Of the line that comes next. */
  number = 1;

  constructor(lines: Iterable<Bytes>) {
    this.#lines = lines[Symbol.iterator]();
  }

  skipTo(number: number): void {
    while (this.number < number && this.#lines.next().done !== true) this.number += 1;
  }

  /** Fewer when the text has become shorter since it was compared. */
  *take(count: number): Generator<Bytes> {
    for (let left = count; left > 0; left--) {
      const { done, value } = this.#lines.next();
      if (done === true) return;
      this.number += 1;
      yield value;
    }
  }

  [Symbol.dispose](): void {
    this.#lines.return?.();
  }
}

/** `@@ -1,3 +1,4 @@`; of nothing, git gives the line before it. */
export function hunkHeader({ oldStart, oldLines, newStart, newLines }: Hunk): string {
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`;
}

function range(start: number, count: number): string {
  if (count === 0) return `${start - 1},0`;
  return count === 1 ? `${start}` : `${start},${count}`;
}
