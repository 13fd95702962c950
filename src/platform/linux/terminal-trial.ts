import { addressOf, fixedBuffer, syscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** include/uapi/asm-generic/ioctls.h */
const TIOCSPTLCK = 0x40045431;

/** As openpty(3): the other side by its name, which a container may lack. */
export function tryTerminal(): void {
  using closing = new DisposableStack();
  const flags = uapi.O_RDWR | uapi.O_NOCTTY | uapi.O_CLOEXEC;
  const open = (path: string): number => {
    const name = Buffer.from(`${path}\0`);
    return closing.adopt(syscall('openat', uapi.AT_FDCWD, addressOf(name), flags), (opened) => void syscall('close', opened));
  };
  const master = open('/dev/ptmx');
  const number = fixedBuffer(4);
  syscall('ioctl', master, TIOCSPTLCK, addressOf(number));
  syscall('ioctl', master, uapi.TIOCGPTN, addressOf(number));
  open(`/dev/pts/${new DataView(number.buffer).getUint32(0, true)}`);
}
