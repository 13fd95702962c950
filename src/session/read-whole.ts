import { type Bytes, bytesFromBuffer } from '../bytes.ts';
import type { OpenFile } from '../ports/files.ts';

const READ_BYTES = 64 * 1024;

/** The rest of a file, as bytes. */
export function readWhole(file: OpenFile): Bytes {
  const piece = new Uint8Array(READ_BYTES);
  const pieces: Bytes[] = [];
  for (let length = file.read(piece); length > 0; length = file.read(piece))
    pieces.push(bytesFromBuffer(piece.subarray(0, length)));
  return pieces.join('') as Bytes;
}
