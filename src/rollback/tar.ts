import { type Bytes, bufferFromBytes, isUtf8 } from '../bytes.ts';
import type { Content } from './content-access.ts';
import type { Entry } from './entry.ts';

/** One member of an archive: a name below its top, what it is, and its content where it is a file. */
export interface TarMember {
  /** Relative, without `.` and `..`: as snapshots have names. */
  readonly name: Bytes;
  readonly entry: Entry;
  readonly content: Content | undefined;
}

/** POSIX.1-2001, "ustar Interchange Format" and "pax Interchange Format". */
const BLOCK_BYTES = 512;
const NAME_BYTES_MAXIMUM = 100;
/** Eleven octal digits. */
const NUMBER_MAXIMUM = 0o77777777777;
const TYPES = { file: '0', symlink: '2', directory: '5', extended: 'x' } as const;

/** An archive in pieces; contents are never in memory as a whole. */
export function* renderTar(members: Iterable<TarMember>): Generator<Uint8Array> {
  for (const member of members) yield* renderMember(member);
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function* renderMember({ name, entry, content }: TarMember): Generator<Uint8Array> {
  const { kind } = entry;
  if (kind === 'skipped') return;
  const shown = kind === 'directory' ? (`${name}/` as Bytes) : name;
  const sizeBytes = kind === 'file' ? (content?.sizeBytes ?? 0) : 0;
  const records = extendedRecords(shown, entry, sizeBytes);
  if (records.length > 0) {
    yield header({
      name: 'pax' as Bytes,
      type: TYPES.extended,
      mode: 0o644,
      sizeBytes: records.length,
      mtimeSeconds: 0,
      target: '' as Bytes,
    });
    yield* padded([records], records.length);
  }
  yield header({
    name: shown,
    type: TYPES[kind],
    mode: entry.mode,
    sizeBytes,
    mtimeSeconds: entry.mtimeSeconds,
    target: entry.target,
  });
  if (kind === 'file' && content !== undefined) yield* padded(content.pieces(), sizeBytes);
}

/** What the plain header has no room for. */
function extendedRecords(name: Bytes, { target, mtimeSeconds, mtimeNanoseconds }: Entry, sizeBytes: number): Buffer {
  const records: string[] = [];
  if (name.length > NAME_BYTES_MAXIMUM) records.push(record('path', name));
  if (target.length > NAME_BYTES_MAXIMUM) records.push(record('linkpath', target));
  // What is not UTF-8 has to be announced, or readers may convert it.
  if (records.length > 0 && !(isUtf8(name) && isUtf8(target))) records.unshift(record('hdrcharset', 'BINARY'));
  if (sizeBytes > NUMBER_MAXIMUM) records.push(record('size', String(sizeBytes)));
  const isPlainTime = mtimeNanoseconds === 0 && mtimeSeconds >= 0 && mtimeSeconds <= NUMBER_MAXIMUM;
  if (!isPlainTime) records.push(record('mtime', `${mtimeSeconds}.${String(mtimeNanoseconds).padStart(9, '0')}`));
  return bufferFromBytes(records.join('') as Bytes);
}

/** Begins with its own length in decimal, which counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length += 1;
  return `${length}${rest}`;
}

interface HeaderFields {
  readonly name: Bytes;
  readonly type: (typeof TYPES)[keyof typeof TYPES];
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly target: Bytes;
}

function header({ name, type, mode, sizeBytes, mtimeSeconds, target }: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const put = (text: string, at: number, length: number) => block.write(text.slice(0, length), at, 'latin1');
  const number = (value: number, length: number) =>
    Math.max(0, value)
      .toString(8)
      .padStart(length - 1, '0');
  put(name, 0, NAME_BYTES_MAXIMUM);
  put(number(mode, 8), 100, 7);
  put(number(0, 8), 108, 7);
  put(number(0, 8), 116, 7);
  put(number(Math.min(sizeBytes, NUMBER_MAXIMUM), 12), 124, 11);
  put(number(Math.min(mtimeSeconds, NUMBER_MAXIMUM), 12), 136, 11);
  put('        ', 148, 8);
  put(type, 156, 1);
  put(target, 157, NAME_BYTES_MAXIMUM);
  put('ustar\u000000', 257, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${number(sum, 7)}\0 `, 148, 8);
  return block;
}

/** Exactly `sizeBytes`, whatever the pieces hold by now, filled up to whole blocks. */
function* padded(pieces: Iterable<Uint8Array>, sizeBytes: number): Generator<Uint8Array> {
  let left = sizeBytes;
  for (const piece of pieces) {
    const part = piece.subarray(0, left);
    left -= part.length;
    yield part;
    if (left === 0) break;
  }
  for (; left > 0; left -= Math.min(left, BLOCK_BYTES)) yield Buffer.alloc(Math.min(left, BLOCK_BYTES));
  const rest = sizeBytes % BLOCK_BYTES;
  if (rest > 0) yield Buffer.alloc(BLOCK_BYTES - rest);
}
