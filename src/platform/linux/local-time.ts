import { ADDRESS, openLibc } from './foreign.ts';
import { fixedBuffer } from './syscalls.ts';

/** struct tm of glibc and musl: nine ints, then tm_gmtoff as a long. */
const TM_BYTES = 56;
const OFFSET_AT = 40;
const SECONDS_PER_MINUTE = 60n;

/**
 * Minutes that local time is ahead of UTC at that moment, by libc: the engine's own answer loads its time zone
 * data first, 5 ms of a start that has less.
 */
export function utcOffsetMinutes(epochMs: number): number {
  const { localtime_r: localTime } = openLibc({ localtime_r: { args: [ADDRESS, ADDRESS], returns: ADDRESS } });
  const time = new BigInt64Array(new ArrayBuffer(8));
  time[0] = BigInt(Math.floor(epochMs / 1000));
  const local = fixedBuffer(TM_BYTES);
  localTime(time, local);
  return Number(new DataView(local.buffer).getBigInt64(OFFSET_AT, true) / SECONDS_PER_MINUTE);
}
