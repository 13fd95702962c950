/**
 * Byte strings: names, paths, arguments and environment as the kernel has them.
 *
 * A `Bytes` is a JavaScript string with one UTF-16 unit (0 to 255) for each byte. Engines keep such
 * strings at one byte a unit, `<` orders them as memcmp does, and they serve as map keys. They become
 * text only to be shown, and text becomes them only where a person wrote it.
 */
declare const bytesBrand: unique symbol;
export type Bytes = string & { readonly [bytesBrand]: true };

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
const ASCII_REGEXP = /^[\x00-\x7f]*$/;
/** What each terminal shows as it is. */
const PLAIN_REGEXP = /^[ -~]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must never reach a terminal
const UNSAFE_REGEXP =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffd\u{e0000}-\u{e007f}]|\u034f|[\u17b4-\u17b5]/u;
const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** What Buffers copy by, in Node and in Bun. It takes any memory, without a Buffer around it. */
interface Latin1Copying {
  latin1Slice(this: Uint8Array, from: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, at: number, length: number): number;
}

/** The bytes in `memory` from one place to another, copied. */
export function bytesAt(memory: Uint8Array, from: number, end: number): Bytes {
  return (Buffer.prototype as unknown as Latin1Copying).latin1Slice.call(memory, from, end) as Bytes;
}

/** Writes the bytes into memory, where they have to fit. @returns where they end. */
export function putBytes(memory: Uint8Array, bytes: Bytes, at = 0): number {
  const end = at + bytes.length;
  if (end > memory.length) throw new RangeError('There is no room for the bytes');
  (Buffer.prototype as unknown as Latin1Copying).latin1Write.call(memory, bytes, at, bytes.length);
  return end;
}

/** The bytes of `data`, copied. */
export function bytesFromBuffer(data: Uint8Array): Bytes {
  return bytesAt(data, 0, data.length);
}

/** A new buffer with the bytes. */
export function bufferFromBytes(bytes: Bytes): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The bytes followed by the NUL that system calls want. */
export function cString(bytes: Bytes): Buffer {
  return Buffer.from(`${bytes}\0`, 'latin1');
}

function isAscii(text: string): boolean {
  return ASCII_REGEXP.test(text);
}

/** Text as UTF-8 bytes. */
export function bytesFromText(text: string): Bytes {
  return (isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as Bytes;
}

/** UTF-8 bytes as text; what is not UTF-8 becomes U+FFFD. To show, see displayBytes(). */
export function textFromBytes(bytes: Bytes): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** True when the bytes are valid UTF-8, so that text and back gives the same bytes. */
export function isUtf8(bytes: Bytes): boolean {
  return isAscii(bytes) || bytesFromText(textFromBytes(bytes)) === bytes;
}

/**
 * The bytes as text that is safe on a terminal: control characters, direction marks, characters that are not to be seen and
 * bytes that are not UTF-8 are written as `\n`, `\x1b`, `\u202e`. A plain name comes out unchanged, emoji and accents too.
 */
export function displayBytes(bytes: Bytes): string {
  if (PLAIN_REGEXP.test(bytes)) return bytes;
  const text = textFromBytes(bytes);
  if (!UNSAFE_REGEXP.test(text)) return text;
  if (!isUtf8(bytes)) return displayInvalidUtf8(bytes);
  return Array.from(text, escapeCharacter).join('');
}

function escapeCharacter(character: string): string {
  if (!UNSAFE_REGEXP.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const named = NAMED_ESCAPES[character];
  if (named !== undefined) return named;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Keeps each run that decodes, and writes the bytes of the rest as `\xff`. */
function displayInvalidUtf8(bytes: Bytes): string {
  let shown = '';
  for (let at = 0; at < bytes.length; ) {
    const length = utf8SequenceLength(bytes.charCodeAt(at));
    const sequence = bytes.slice(at, at + length) as Bytes;
    if (sequence.length === length && isUtf8(sequence)) {
      shown += Array.from(textFromBytes(sequence), escapeCharacter).join('');
      at += length;
    } else {
      shown += `\\x${bytes.charCodeAt(at).toString(16).padStart(2, '0')}`;
      at += 1;
    }
  }
  return shown;
}

function utf8SequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

/** The JSON form of a path: as text, with the exact bytes beside it when they are not UTF-8. */
export function jsonPath(path: Bytes): { readonly path: string; readonly path_bytes?: string } {
  const text = textFromBytes(path);
  return isUtf8(path) ? { path: text } : { path: text, path_bytes: bufferFromBytes(path).toString('base64') };
}

/** How documents on disk hold bytes: a string when they are UTF-8, else `{ "base64": … }`. */
export type StoredBytes = string | { readonly base64: string };

/** For JSON: text where it is UTF-8, else base64. */
export function storeBytes(bytes: Bytes): StoredBytes {
  return isUtf8(bytes) ? textFromBytes(bytes) : { base64: bufferFromBytes(bytes).toString('base64') };
}

/** @returns undefined when `value` is not a StoredBytes. */
export function bytesFromStored(value: unknown): Bytes | undefined {
  if (typeof value === 'string') return bytesFromText(value);
  if (typeof value !== 'object' || value === null || !('base64' in value)) return undefined;
  return typeof value.base64 === 'string' ? bytesFromBuffer(Buffer.from(value.base64, 'base64')) : undefined;
}
