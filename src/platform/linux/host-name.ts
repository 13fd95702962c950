import type { Bytes } from '../../bytes.ts';
import { isErrno } from '../../errors.ts';
import type { Host } from '../../ports/files.ts';
import { readSmallFile, readSymbolicLink } from './small-files.ts';
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

/** PROC_UTS_INIT_INO of include/uapi/linux/nsfs.h: the namespace in which a machine has its name, and a container of its own has not. */
const INITIAL_NAMESPACE = 'uts:[4026531838]';

/** @throws {SystemError} */
export function readHost(): Host {
  return { name: readHostName(), bootId: isOfMachine() ? readBootId() : undefined };
}

/** Whether the host's name is that of the machine. */
function isOfMachine(): boolean {
  try {
    return readSymbolicLink('/proc/self/ns/uts') === INITIAL_NAMESPACE;
  } catch (error) {
    // A kernel without such namespaces (CONFIG_UTS_NS) knows one name.
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

let bootId: string | undefined;

/** @throws {SystemError} */
export function readBootId(): string {
  bootId ??= readSmallFile('/proc/sys/kernel/random/boot_id').trim();
  return bootId;
}
