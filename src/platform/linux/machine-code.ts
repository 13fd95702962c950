import { memoryAt } from './foreign.ts';
import { syscall } from './syscalls.ts';

/** include/uapi/asm-generic/mman-common.h and mman.h */
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const PAGE_BYTES = 4096;

/**
 * A page of its own that is never writable and executable at once. It stays mapped for as long as the process lives: a
 * signal may be on its way.
 *
 * @returns its address.
 */
export function loadCode(code: Uint8Array): number {
  const page = mapMemory(PAGE_BYTES);
  new Uint8Array(memoryAt(page.address, PAGE_BYTES)).set(code);
  syscall('mprotect', page.address, PAGE_BYTES, PROT_READ | PROT_EXEC);
  return page.address;
}

/** Memory that no collector knows: it stays mapped. @param isShared With processes that are forked later, which see what is written to it. */
export function mapMemory(
  sizeBytes: number,
  { isShared = false } = {},
): { readonly address: number; readonly bytes: Uint8Array<ArrayBuffer> } {
  const flags = (isShared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS;
  const address = syscall('mmap', 0, sizeBytes, PROT_READ | PROT_WRITE, flags, -1);
  return { address, bytes: new Uint8Array(memoryAt(address, sizeBytes)) };
}

/** What stands at an address, as memory of the collector's. */
export function copyOfMemory(address: number, sizeBytes: number): Uint8Array {
  return new Uint8Array(memoryAt(address, sizeBytes)).slice();
}
