import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** By the kernel itself: the engine's own source first makes a generator, 0.1 ms. */
export function randomHex(sizeBytes: number): string {
  const bytes = fixedBuffer(sizeBytes);
  if (syscall('getrandom', addressOf(bytes), sizeBytes) !== sizeBytes) throw new Error('The kernel gave too few random bytes');
  return Buffer.from(bytes.buffer).toString('hex');
}
