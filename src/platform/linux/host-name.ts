import type { Bytes } from '../../bytes.ts';
import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** struct new_utsname of include/uapi/linux/utsname.h: six texts, of which the second is the name of the host. */
const FIELD_BYTES = 65;
const FIELDS = 6;

/** By uname(2): no more than that is needed where /proc is not whole. */
export function readHostName(): Bytes {
  const names = fixedBuffer(FIELDS * FIELD_BYTES);
  syscall('uname', addressOf(names));
  const name = Buffer.from(names.buffer, FIELD_BYTES, FIELD_BYTES);
  return name.toString('latin1', 0, name.indexOf(0)) as Bytes;
}
