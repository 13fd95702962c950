export const ESCAPE = 0x1b;
/** The first byte of a C1 control in UTF-8, which terminals take for an escape and what is C1_DISTANCE before the second (ECMA-48, 5.3): U+009B for CSI. */
export const C1 = 0xc2;
const C1_STRING_TERMINATOR = 0x9c;
const BELL = 0x07;
const CANCEL = 0x18;
const SUBSTITUTE = 0x1a;
const BACKSLASH = 0x5c;

function isTerminator(input: Uint8Array, at: number): boolean {
  return (input[at] === ESCAPE && input[at + 1] === BACKSLASH) || (input[at] === C1 && input[at + 1] === C1_STRING_TERMINATOR);
}

/** Behind an escape a terminal carries control characters out, and still waits for what the escape is to mean: they come before it as well. */
export function endOfControls(input: Uint8Array, from: number): number {
  let at = from;
  while (at < input.length && isCarriedOut(input[at] ?? 0)) at++;
  return at;
}

export function isCarriedOut(byte: number): boolean {
  return byte === 0x7f || (byte < 0x20 && byte !== ESCAPE && byte !== CANCEL && byte !== SUBSTITUTE);
}

export function endOfEscape(input: Uint8Array, from: number): number {
  let end = from;
  while (end < input.length && (isBetween(input[end], 0x20, 0x2f) || isCarriedOut(input[end] ?? 0))) end++;
  return end < input.length ? end + (isBetween(input[end], 0x30, 0x7e) ? 1 : 0) : -1;
}

/** Behind the final byte, or at the byte that breaks the sequence off. */
export function endOfCsi(input: Uint8Array, from: number): number {
  for (let at = from; at < input.length; at++) {
    const byte = input[at] ?? 0;
    if (byte >= 0x40 && byte <= 0x7e) return at + 1;
    if (byte === ESCAPE || byte === CANCEL || byte === SUBSTITUTE || byte > 0x7f) return at;
  }
  return -1;
}

/**
 * Text that was taken for another encoding is full of controls of C1, which many terminals pass over: only what has the form of an OSC is taken for one, and
 * what would begin another string for nothing.
 */
export function endOfC1Osc(input: Uint8Array, from: number): number {
  if (from >= input.length) return -1;
  return isBetween(input[from], 0x30, 0x39) ? endOfString(input, from) : from;
}

/** Behind the terminator, or at the byte that breaks the string off. */
export function endOfString(input: Uint8Array, from: number): number {
  for (let at = from; at < input.length; at++) {
    const byte = input[at];
    if (byte === BELL) return at + 1;
    if (byte === CANCEL || byte === SUBSTITUTE) return at;
    if (byte !== ESCAPE && byte !== C1) continue;
    if (at + 1 >= input.length) return -1;
    if (isTerminator(input, at)) return at + 2;
    if (byte === ESCAPE) return at;
  }
  return -1;
}

/** Without the terminator, which one that was broken off has not. */
export function endOfBody(input: Uint8Array, end: number): number {
  if (input[end - 1] === BELL) return end - 1;
  return isTerminator(input, end - 2) ? end - 2 : end;
}

export function isBetween(byte: number | undefined, low: number, high: number): boolean {
  return byte !== undefined && byte >= low && byte <= high;
}
