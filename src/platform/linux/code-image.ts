import { mapMemory } from './machine-code.ts';
import { syscall } from './syscalls.ts';

/** include/uapi/asm-generic/mman-common.h */
const PROT_READ_EXECUTE = 5;
const PAGE_BYTES = 4096;
const POINTER_BYTES = 8;

/** C that has been compiled, with its data behind it. Nobody frees it. */
export interface LoadedCode {
  /** The function that it begins with. */
  readonly entry: number;
  /** The memory that it all takes, in whole pages. */
  readonly from: number;
  readonly end: number;
}

/**
 * Machine code that was compiled when nono was built, and that runs wherever it is put: bytes of code, then of data up to the last that is not zero,
 * all addresses counted from the first byte.
 */
export interface CodeImage {
  /** Whole pages. */
  readonly codeBytes: number;
  /** With all data. */
  readonly sizeBytes: number;
  readonly entry: number;
  /** Where an address of its own stands, which is to be moved with it. */
  readonly pointers: readonly number[];
  readonly bytes: Uint8Array;
}

/** As one word of a command line: what the build puts into the executable, for loadImage(). */
export function encodeImage({ codeBytes, sizeBytes, entry, pointers, bytes }: CodeImage): string {
  return [codeBytes, sizeBytes, entry, pointers.join(','), Buffer.from(bytes).toString('base64')].join(':');
}

/** Puts what encodeImage() gave into memory of its own, which is never writable and executable at once. */
export function loadImage(text: string): LoadedCode {
  const [codeBytes = '', sizeBytes = '', entry = '', pointers = '', bytes = ''] = text.split(':');
  const memory = mapMemory(Math.ceil(Number(sizeBytes) / PAGE_BYTES) * PAGE_BYTES);
  // Decoded in its place, by what takes a third of the time of Buffer.from().
  (memory.bytes as unknown as { readonly setFromBase64: (text: string) => void }).setFromBase64(bytes);
  const view = new DataView(memory.bytes.buffer);
  if (pointers !== '')
    for (const word of pointers.split(',')) {
      const at = Number(word);
      view.setBigInt64(at, view.getBigInt64(at, true) + BigInt(memory.address), true);
    }
  syscall('mprotect', memory.address, Number(codeBytes), PROT_READ_EXECUTE);
  return { entry: memory.address + Number(entry), from: memory.address, end: memory.address + memory.bytes.length };
}

/** One and the same code as it was compiled in one place. */
export interface PlacedCode {
  readonly address: number;
  /** Up to the page with the first data that are written to. */
  readonly codeBytes: number;
  readonly entry: number;
  readonly bytes: Uint8Array;
}

/**
 * Finds out what in a piece of code depends on where it stands, by comparing it with the same in other places.
 *
 * @throws {Error} for code of which no image can be made.
 */
export function imageOf([first, ...others]: readonly PlacedCode[]): CodeImage {
  if (first === undefined || others.length === 0)
    throw new Error('Code that stands in one place only tells nothing about others');
  const { address, codeBytes, entry } = first;
  if (codeBytes % PAGE_BYTES !== 0) throw new Error('The data of compiled code do not begin on a page of their own');
  const bytes = first.bytes.slice();
  const view = viewOf(bytes);
  const pointers: number[] = [];
  for (let at = 0; at + POINTER_BYTES <= bytes.length; at += POINTER_BYTES) {
    const word = view.getBigInt64(at, true);
    const moved = word - BigInt(address);
    if (others.every((other) => wordOf(other, at) === word)) continue;
    const isPointer = others.every((other) => wordOf(other, at) - BigInt(other.address) === moved);
    if (!isPointer) throw new Error('Compiled code depends on where it stands');
    pointers.push(at);
    view.setBigInt64(at, moved, true);
  }
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return { codeBytes, sizeBytes: bytes.length, entry: entry - address, pointers, bytes: bytes.subarray(0, used) };
}

function wordOf({ bytes }: PlacedCode, at: number): bigint {
  return viewOf(bytes).getBigInt64(at, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
