import type { Connection } from '../ports/socket.ts';
import { encodeServerMessage } from './messages.ts';

/** A frame holds more. */
const PIECE_BYTES = 128 * 1024;

/** What goes into one frame each. */
export function* inPieces(data: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < data.length; at += PIECE_BYTES) yield data.subarray(at, at + PIECE_BYTES);
}

/** In frames as large as they may be; the frames after the first of a `redraw` are output. */
export function sendPieces(connection: Connection, kind: 'output' | 'redraw' | 'content', data: Uint8Array): void {
  let next = kind;
  for (const piece of inPieces(data)) {
    connection.write(encodeServerMessage({ kind: next, data: piece }));
    if (kind === 'redraw') next = 'output';
  }
}
