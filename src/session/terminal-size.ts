import type { TerminalSize } from '../ports/pty.ts';
import { ProtocolError } from './protocol.ts';

/** No terminal has more in a row or a column, or in all; a wrong size must not make a program allocate without bound. */
export const CELLS_MAXIMUM = 10_000;
const CELLS_IN_ALL_MAXIMUM = 1_000_000;
const RESIZE_BYTES = 4;
const USUAL: TerminalSize = { columns: 80, rows: 24 };

export function encodeSize({ columns, rows }: TerminalSize): Uint8Array {
  const payload = new Uint8Array(RESIZE_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint16(0, columns, true);
  view.setUint16(2, rows, true);
  return payload;
}

/** @throws {ProtocolError} */
export function decodeSize(payload: Uint8Array): TerminalSize {
  if (payload.length !== RESIZE_BYTES) throw new ProtocolError(`a size of ${payload.length} bytes, expected ${RESIZE_BYTES}`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return checkSize({ columns: view.getUint16(0, true), rows: view.getUint16(2, true) });
}

/** @throws {ProtocolError} */
export function checkSize({ columns, rows }: TerminalSize): TerminalSize {
  if (columns < 1 || rows < 1 || columns > CELLS_MAXIMUM || rows > CELLS_MAXIMUM || columns * rows > CELLS_IN_ALL_MAXIMUM)
    throw new ProtocolError(`a size of ${columns} by ${rows}, expected 1 to ${CELLS_MAXIMUM} and ${CELLS_IN_ALL_MAXIMUM} in all`);
  return { columns, rows };
}

/** Of a terminal that says more, or nothing: as much of it as a session can have. */
export function boundedSize({ columns, rows }: TerminalSize): TerminalSize {
  const bounded = Math.min(columns || USUAL.columns, CELLS_MAXIMUM);
  return { columns: bounded, rows: Math.min(rows || USUAL.rows, CELLS_MAXIMUM, Math.floor(CELLS_IN_ALL_MAXIMUM / bounded)) };
}

export function isSameSize(a: TerminalSize, b: TerminalSize): boolean {
  return a.columns === b.columns && a.rows === b.rows;
}
