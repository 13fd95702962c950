import type { Bytes } from '../bytes.ts';
import { localDateTime } from '../time.ts';

const ID_REGEXP = /^\d{8}-\d{6}-\d{1,10}$/;

/** True for `YYYYMMDD-HHMMSS-PID`. */
export function isRollbackId(text: string): text is Bytes {
  return ID_REGEXP.test(text);
}

/** The id of a session that starts at `epochMs`, in local time. */
export function makeRollbackId(epochMs: number, utcOffsetMinutes: number, pid: number): Bytes {
  const { date, time } = localDateTime(epochMs, utcOffsetMinutes);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${pid}` as Bytes;
}
