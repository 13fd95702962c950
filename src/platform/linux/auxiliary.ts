import { putBytes } from '../../bytes.ts';
import { readSmallFile } from './small-files.ts';
import { fixedBuffer } from './syscalls.ts';

/** include/uapi/linux/auxvec.h: the size of a page, and where the kernel's own code begins. */
export const AT_PAGESZ = 6;
export const AT_SYSINFO_EHDR = 33;

const WORD_BYTES = 8;

/** What the kernel told this process at its start: numbers by what they are. */
export function auxiliaryVector(): ReadonlyMap<number, number> {
  const auxiliary = readSmallFile('/proc/self/auxv');
  const memory = fixedBuffer(auxiliary.length);
  putBytes(memory, auxiliary);
  const view = new DataView(memory.buffer);
  const values = new Map<number, number>();
  for (let at = 0; at + 2 * WORD_BYTES <= memory.length; at += 2 * WORD_BYTES)
    values.set(view.getUint32(at, true), Number(view.getBigUint64(at + WORD_BYTES, true)));
  return values;
}
