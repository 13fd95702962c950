import { type Bytes, bytesFromBuffer } from '../../bytes.ts';

/** How much memory the mediator has to note refusals in: `struct refusals` of platform/linux/mediator/refused.c, then entries. */
export const REFUSALS_BYTES = 16_384;

const HEADER_BYTES = 8;
const ENTRY_BYTES = 16;
const ENTRY_ALIGNMENT = 8;

/** What the command was refused: by the numbers of refused.c, from 1 on. */
const KINDS = ['change', 'change_directory', 'connect', 'port', 'listen'] as const;

/** Something that the mediator refused because the plan does not give it, and that a grant would have given. */
export interface ObservedRefusal {
  /** Mode, owner, times or attributes of a file or a directory; a local socket; a TCP port that is connected to or listened on. */
  readonly kind: (typeof KINDS)[number];
  /** Absolute, links resolved; of a port its number in decimal digits. */
  readonly name: Bytes;
  readonly count: number;
}

/** What the mediator has refused in one run. */
export interface Refusals {
  /** The first one first. */
  readonly all: readonly ObservedRefusal[];
  /** How often there was no room to note one. */
  readonly more: number;
}

export const NO_REFUSALS: Refusals = { all: [], more: 0 };

/** Reads what the mediator noted down. It may be writing meanwhile: what is not whole is left out. */
export function decodeRefusals(memory: Uint8Array): Refusals {
  if (memory.length < HEADER_BYTES) return NO_REFUSALS;
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const end = Math.min(HEADER_BYTES + view.getUint32(0, true), memory.length);
  const all: ObservedRefusal[] = [];
  let at = HEADER_BYTES;
  while (at + ENTRY_BYTES <= end) {
    const kind = KINDS[view.getUint32(at, true) - 1];
    const nameBytes = view.getUint32(at + 8, true);
    const nameEnd = at + ENTRY_BYTES + nameBytes;
    if (kind === undefined || nameEnd > end) break;
    all.push({ kind, name: bytesFromBuffer(memory.subarray(at + ENTRY_BYTES, nameEnd)), count: view.getUint32(at + 4, true) });
    at = Math.ceil(nameEnd / ENTRY_ALIGNMENT) * ENTRY_ALIGNMENT;
  }
  return { all, more: view.getUint32(4, true) };
}

/** The part of the memory that holds something. */
export function usedRefusals(memory: Uint8Array): Uint8Array {
  if (memory.length < HEADER_BYTES) return memory;
  const bytes = new DataView(memory.buffer, memory.byteOffset, memory.length).getUint32(0, true);
  return memory.subarray(0, bytes === 0 ? 0 : HEADER_BYTES + bytes);
}
