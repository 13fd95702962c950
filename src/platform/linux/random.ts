import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** By the kernel itself: the engine's own source first makes a generator, 0.1 ms. */
export function randomHex(sizeBytes: number): string {
  const bytes = fixedBuffer(sizeBytes);
  if (syscall('getrandom', addressOf(bytes), sizeBytes) !== sizeBytes) throw new Error('The kernel gave too few random bytes');
  let text = '';
  for (let at = 0; at < sizeBytes; at++) text += (0x100 + (bytes[at] ?? 0)).toString(16).slice(1);
  return text;
}
