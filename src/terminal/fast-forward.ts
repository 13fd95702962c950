const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ESCAPE_BYTE = 0x1b;
const LEFT_BRACKET = 0x5b;
const FINAL_M = 0x6d;

/** What a byte is in the midst of text. */
const [PLAIN, NEWLINE, ESCAPE, LATIN, OTHER] = [0, 1, 2, 3, 4] as const;
const CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => classOf(byte));

export interface FastForward {
  /** So many bytes show nothing any more once what follows them is shown; they end with a line. */
  readonly skippedBytes: number;
  /** What has to be written instead of them: the look of what follows. */
  readonly substitute: Uint8Array;
  /** So far there is nothing but text, line feeds and SGR. */
  readonly simpleBytes: number;
}

/**
 * Looks how much of a flood need not be shown, because the lines behind it push it out of everything that is kept. That
 * holds on a terminal whose line feeds scroll its whole normal screen, and as long as what is written is text, line feeds
 * and SGR: whatever a skipped byte did to the screen is gone then, but for the pen.
 *
 * @param pieces What is written, one behind the other, from between two sequences on.
 * @param keptLines As many line feeds push out all that is kept.
 */
export function fastForward(pieces: readonly Uint8Array[], keptLines: number): FastForward {
  const scan = new Scan();
  let simpleBytes = 0;
  for (const piece of pieces) {
    const end = scan.push(piece);
    simpleBytes += end;
    if (end < piece.length) break;
  }
  const skippedBytes = scan.lines > keptLines ? lineEndBefore(pieces, simpleBytes, keptLines) : 0;
  const substitute = skippedBytes === 0 ? new Uint8Array() : Buffer.from(`\r${pensBefore(pieces, skippedBytes)}`, 'latin1');
  return { skippedBytes, substitute, simpleBytes };
}

/** Counts lines as long as there is nothing that means more than text. */
class Scan {
  lines = 0;
  #state: 'text' | 'escape' | 'parameters' | 'latin' = 'text';

  /** @returns how far the piece is simple. */
  push(piece: Uint8Array): number {
    const { length } = piece;
    for (let at = 0; at < length; at++) {
      if (this.#state !== 'text') {
        if (!this.#goOn(piece[at] ?? 0)) return at;
        continue;
      }
      while (at < length && CLASSES[piece[at] ?? 0] === PLAIN) at++;
      if (at === length) break;
      const kind = CLASSES[piece[at] ?? 0];
      if (kind === OTHER) return at;
      if (kind === NEWLINE) this.lines += 1;
      else this.#state = kind === ESCAPE ? 'escape' : 'latin';
    }
    return length;
  }

  #goOn(byte: number): boolean {
    if (this.#state === 'latin') {
      this.#state = 'text';
      return byte >= 0xa0 && byte <= 0xbf;
    }
    if (this.#state === 'escape') {
      this.#state = 'parameters';
      return byte === LEFT_BRACKET;
    }
    if (byte === FINAL_M) this.#state = 'text';
    // Digits, and what separates them.
    return byte === FINAL_M || (byte >= 0x30 && byte <= 0x3b);
  }
}

function classOf(byte: number): number {
  if (byte === LINE_FEED) return NEWLINE;
  if (byte === ESCAPE_BYTE) return ESCAPE;
  // With it begin the characters U+0080 to U+00BF, of which those up to U+009F are controls.
  if (byte === 0xc2) return LATIN;
  // BEL, BS and HT change nothing beyond their line.
  const isHarmless = byte === 0x07 || byte === 0x08 || byte === 0x09 || byte === CARRIAGE_RETURN;
  return isHarmless || (byte >= 0x20 && byte !== 0x7f) ? PLAIN : OTHER;
}

/** Behind the last CR LF that has `lines` line feeds between it and `end`; 0 when there is none. */
function lineEndBefore(pieces: readonly Uint8Array[], end: number, lines: number): number {
  let start = end;
  let left = lines;
  for (const piece of upTo(pieces, end).toReversed()) {
    start -= piece.length;
    for (let at = piece.lastIndexOf(LINE_FEED); at >= 0; at = at === 0 ? -1 : piece.lastIndexOf(LINE_FEED, at - 1)) {
      left -= 1;
      if (left < 0 && piece[at - 1] === CARRIAGE_RETURN) return start + at + 1;
    }
  }
  return 0;
}

/** Each SGR from the last one on that ends all before it. Looked for piece by piece: text of all of a flood would be garbage of its size. */
function pensBefore(pieces: readonly Uint8Array[], end: number): string {
  const pens: string[] = [];
  // How the piece behind goes on with a sequence that this one may end in.
  let rest = '';
  for (const piece of upTo(pieces, end).toReversed()) {
    // None begins in the rest: that ends with the first byte that is no parameter.
    const found = (piece.includes(ESCAPE_BYTE) && `${latin1(piece)}${rest}`.match(/\x1b\[[\d;:]*m/g)) || [];
    const reset = found.findLastIndex((pen) => /^\x1b\[0*m$/.test(pen));
    pens.unshift(found.slice(Math.max(0, reset)).join(''));
    if (reset >= 0) break;
    rest = beginningOf(piece, rest);
  }
  return pens.join('');
}

/** As much of a piece as can belong to an SGR that begins before it. */
function beginningOf(piece: Uint8Array, rest: string): string {
  let length = 0;
  while (length < piece.length && isOfParameters(piece[length] ?? 0)) length++;
  const isWhole = length === piece.length;
  return latin1(piece.subarray(0, length + 1)) + (isWhole ? rest : '');
}

function isOfParameters(byte: number): boolean {
  return byte === LEFT_BRACKET || (byte >= 0x30 && byte <= 0x3b);
}

function upTo(pieces: readonly Uint8Array[], end: number): readonly Uint8Array[] {
  const before: Uint8Array[] = [];
  let left = end;
  for (const piece of pieces) {
    if (left === 0) break;
    before.push(piece.subarray(0, left));
    left -= Math.min(left, piece.length);
  }
  return before;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
