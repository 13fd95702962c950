import type { Connection } from '../ports/socket.ts';
import { encodeServerMessage } from './messages.ts';

/** A frame holds more. */
const PIECE_BYTES = 128 * 1024;

/** In frames as large as they may be; the frames after the first of a `redraw` are output. */
export function sendPieces(connection: Connection, kind: 'output' | 'redraw' | 'content', data: Uint8Array): void {
  for (let at = 0; at < data.length; at += PIECE_BYTES) {
    const piece = data.subarray(at, at + PIECE_BYTES);
    connection.write(encodeServerMessage({ kind: at > 0 && kind === 'redraw' ? 'output' : kind, data: piece }));
  }
}
