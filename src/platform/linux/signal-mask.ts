import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** include/uapi/asm-generic/signal-defs.h */
const SIG_SETMASK = 2;
const SIGNAL_SET_BYTES = 8;

/** For a call that makes another thread or process: no handler of the runtime may run in it before it is ready. */
export function withSignalsBlocked<T>(act: () => T): T {
  const all = fixedBuffer(SIGNAL_SET_BYTES).fill(0xff);
  const before = fixedBuffer(SIGNAL_SET_BYTES);
  syscall('rt_sigprocmask', SIG_SETMASK, addressOf(all), addressOf(before), SIGNAL_SET_BYTES);
  try {
    return act();
  } finally {
    syscall('rt_sigprocmask', SIG_SETMASK, addressOf(before), 0, SIGNAL_SET_BYTES);
  }
}
