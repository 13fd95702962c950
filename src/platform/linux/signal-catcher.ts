import { ADDRESS, INT, openLibc } from './foreign.ts';
import { loadCode } from './machine-code.ts';
import { fixedBuffer } from './syscalls.ts';

/** What a caught signal leaves in the pipe: siginfo_t, include/uapi/asm-generic/siginfo.h. */
export const SIGINFO_BYTES = 128;

/** struct sigaction of glibc and musl on 64-bit Linux: handler, 128 bytes of mask, flags, restorer. */
const SIGACTION_BYTES = 152;
const FLAGS_AT = 136;
/** include/uapi/asm-generic/signal.h */
const SA_SIGINFO = 4;
const SA_RESTART = 0x10000000;
const SIG_DFL = 0;
const SIG_IGN = 1;

/** Sets dispositions through libc, which knows how a handler returns on this processor. */
export interface SignalCatcher {
  /** The siginfo_t of each of the signals goes to `descriptor` from now on. */
  catchTo(descriptor: number, signals: readonly number[]): void;
  ignore(signals: readonly number[]): void;
  reset(signals: readonly number[]): void;
}

/** No runtime tells who sent a signal, so that the handler is our own: one write(2) of the siginfo_t. */
export function createSignalCatcher(): SignalCatcher {
  const { sigaction } = openLibc({ sigaction: { args: [INT, ADDRESS, ADDRESS], returns: INT } });
  function set(signals: readonly number[], handler: number, flags: number): void {
    const action = fixedBuffer(SIGACTION_BYTES);
    const view = new DataView(action.buffer);
    view.setBigUint64(0, BigInt(handler), true);
    view.setInt32(FLAGS_AT, flags, true);
    for (const signal of signals) sigaction(signal, action, null);
  }
  return {
    catchTo: (descriptor, signals) => set(signals, loadCode(handlerCode(descriptor)), SA_SIGINFO | SA_RESTART),
    ignore: (signals) => set(signals, SIG_IGN, 0),
    reset: (signals) => set(signals, SIG_DFL, 0),
  };
}

/**
 * `void handler(int signal, siginfo_t *info, void *context) { write(descriptor, info, SIGINFO_BYTES); }` as the
 * system call alone, which leaves errno as it was. Five instructions for each processor: a compiler at run
 * time costs more than the whole start of a command.
 */
function handlerCode(descriptor: number): Uint8Array {
  return process.arch === 'arm64' ? arm64Code(descriptor) : x64Code(descriptor);
}

function x64Code(descriptor: number): Uint8Array {
  const code = new Uint8Array([
    0xb8,
    1,
    0,
    0,
    0, // mov eax, 1 (write)
    0xbf,
    0,
    0,
    0,
    0, // mov edi, descriptor; rsi is info already
    0xba,
    SIGINFO_BYTES,
    0,
    0,
    0, // mov edx, SIGINFO_BYTES
    0x0f,
    0x05, // syscall
    0xc3, // ret
  ]);
  new DataView(code.buffer).setInt32(6, descriptor, true);
  return code;
}

function arm64Code(descriptor: number): Uint8Array {
  const words = new Uint32Array([
    0xd2800000 + descriptor * 32, // mov x0, descriptor; x1 is info already
    0xd2800002 + SIGINFO_BYTES * 32, // mov x2, SIGINFO_BYTES
    0xd2800008 + 64 * 32, // mov x8, 64 (write)
    0xd4000001, // svc 0
    0xd65f03c0, // ret
  ]);
  return new Uint8Array(words.buffer);
}
