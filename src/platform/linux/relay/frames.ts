import { addressOf, fixedBuffer, trySyscall } from '../syscalls.ts';

/** PROTOCOL.md; of the payload, so much passes in one frame. */
const PROTOCOL_VERSION = 1;
export const HEADER_BYTES = 8;
export const FRAME_BYTES = 128 * 1024;
export const FRAME_DATA = 2;
export const FRAME_OUTPUT = 17;

export function headerOf(type: number, length: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set([PROTOCOL_VERSION, type]);
  new DataView(header.buffer).setUint32(4, length, true);
  return header;
}

/** What has come on a socket that does not block. */
export function readAvailable(descriptor: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = fixedBuffer(FRAME_BYTES);
    const length = trySyscall('read', descriptor, addressOf(piece), piece.length);
    if (length <= 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, length));
  }
}
