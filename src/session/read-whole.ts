import { type Bytes, bytesFromBuffer } from '../bytes.ts';
import type { OpenFile } from '../ports/files.ts';

const READ_BYTES = 64 * 1024;

/** Used within one call only: a registry has a thousand records. */
let piece: Uint8Array | undefined;

/** The rest of a file, as bytes. @param sizeBytes How long it is, when that is known: what is written meanwhile is left out. */
export function readWhole(file: OpenFile, sizeBytes = Number.POSITIVE_INFINITY): Bytes {
  piece ??= new Uint8Array(new ArrayBuffer(READ_BYTES));
  const pieces: Bytes[] = [];
  let missingBytes = sizeBytes;
  while (missingBytes > 0) {
    const length = file.read(piece.subarray(0, Math.min(piece.length, missingBytes)));
    if (length === 0) break;
    pieces.push(bytesFromBuffer(piece.subarray(0, length)));
    missingBytes -= length;
  }
  return pieces.join('') as Bytes;
}
