import { DamageError } from '../errors.ts';
import { countEdits, diffLines, splitLines } from './edit-script.ts';
import type { FileDelta, FileSide } from './file-delta.ts';
import { isText } from './text-facts.ts';

/** How much of a file has changed, as far as it was looked at. */
export type DeltaStat =
  | { readonly kind: 'lines'; readonly added: number; readonly removed: number }
  /** Bytes before and after; `large` was not read. */
  | { readonly kind: 'binary' | 'large' | 'damaged'; readonly before: number; readonly after: number };

/** A larger file is not read for a summary. */
const FILE_BYTES_MAXIMUM = 16 * 1024 * 1024;
/** Of all files together so much is read for one summary. */
const TOTAL_BYTES_MAXIMUM = 256 * 1024 * 1024;

/** Counts changed lines, for one summary. */
export class DeltaCounter {
  #left = TOTAL_BYTES_MAXIMUM;

  /** @returns undefined where no content has changed. */
  count({ before, after }: FileDelta): DeltaStat | undefined {
    if (before?.hash === after?.hash && before?.mode.slice(0, 3) === after?.mode.slice(0, 3)) return undefined;
    const sizes = { before: sizeOf(before), after: sizeOf(after) };
    const bytes = sizes.before + sizes.after;
    if (Math.max(sizes.before, sizes.after) > FILE_BYTES_MAXIMUM || bytes > this.#left) return { kind: 'large', ...sizes };
    this.#left -= bytes;
    try {
      if (![before, after].every((side) => side === undefined || isText(side.content))) return { kind: 'binary', ...sizes };
      return { kind: 'lines', ...countEdits(diffLines(linesOf(before), linesOf(after))) };
    } catch (error) {
      if (error instanceof DamageError) return { kind: 'damaged', ...sizes };
      throw error;
    }
  }
}

function sizeOf(side: FileSide | undefined): number {
  return side?.content.sizeBytes ?? 0;
}

function linesOf(side: FileSide | undefined) {
  return splitLines(side?.content.pieces() ?? []);
}
