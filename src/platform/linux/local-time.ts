import { dlopen, FFIType } from 'bun:ffi';
import { fixedBuffer, LIBC_NAMES } from './syscalls.ts';

/** struct tm of glibc and musl: nine ints, then tm_gmtoff as a long. */
const TM_BYTES = 56;
const OFFSET_AT = 40;
const SECONDS_PER_MINUTE = 60n;

/**
 * Minutes that local time is ahead of UTC at that moment, by libc: the engine's own answer loads its time zone
 * data first, 5 ms of a start that has less.
 */
export function utcOffsetMinutes(epochMs: number): number {
  const { symbols } = openLibc();
  const time = new BigInt64Array(new ArrayBuffer(8));
  time[0] = BigInt(Math.floor(epochMs / 1000));
  const local = fixedBuffer(TM_BYTES);
  symbols.localtime_r(time, local);
  return Number(new DataView(local.buffer).getBigInt64(OFFSET_AT, true) / SECONDS_PER_MINUTE);
}

function openLibc() {
  let failure: unknown;
  for (const library of LIBC_NAMES) {
    try {
      return dlopen(library, { localtime_r: { args: [FFIType.ptr, FFIType.ptr], returns: FFIType.ptr } });
    } catch (error) {
      failure = error; // glibc and musl have different names: the next one may be there.
    }
  }
  throw new Error('Cannot load the C library', { cause: failure });
}
