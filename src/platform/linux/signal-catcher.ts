import { cc, dlopen, FFIType, type Pointer } from 'bun:ffi';
import { addressOf, fixedBuffer, LIBC_NAMES, syscall } from './syscalls.ts';

/**
 * A signal handler in C, because no runtime tells who sent a signal: it writes the four numbers of siginfo_t
 * that matter to a pipe. No header and no library is used, so that it compiles anywhere: libc's functions
 * come in as addresses. It calls only what signal-safety(7) permits.
 *
 * siginfo_t is si_signo, si_errno, si_code, padding, then si_pid, si_uid, si_status
 * (include/uapi/asm-generic/siginfo.h).
 */
const SOURCE = `
static long (*kernel)(long, ...);
static int *(*errno_location)(void);
static long write_number;
static long sink;

void prepare(void *kernel_address, void *errno_address, int number, int descriptor) {
  kernel = kernel_address;
  errno_location = errno_address;
  write_number = number;
  sink = descriptor;
}

void caught(int signal, int *info, void *context) {
  int *place = errno_location();
  int saved = *place;
  int record[4];
  record[0] = signal;
  record[1] = info[2];
  record[2] = info[4];
  record[3] = info[6];
  kernel(write_number, sink, record, (long)sizeof record);
  *place = saved;
}
`;

/** One record: signal, si_code, si_pid, si_status. */
export const RECORD_BYTES = 16;

/** struct sigaction of glibc and musl on 64-bit Linux: handler, 128 bytes of mask, flags. */
const SIGACTION_BYTES = 152;
const FLAGS_AT = 136;
/** include/uapi/asm-generic/signal.h */
const SA_SIGINFO = 4;
const SA_RESTART = 0x10000000;

const WRITE_NUMBER = process.arch === 'arm64' ? 64 : 1;

/** Sets dispositions through libc, which knows how a handler returns on this processor. */
export interface SignalCatcher {
  /** Records of the signal go to `descriptor` from now on. */
  catchTo(signals: readonly number[]): void;
  ignore(signals: readonly number[]): void;
  reset(signals: readonly number[]): void;
}

/** Compiles the handler: 3 to 5 ms on the calling thread. */
export function createSignalCatcher(descriptor: number): SignalCatcher {
  const { symbols: libc } = openLibc();
  const { symbols: handler } = compile();
  const caught = codeAddress(handler.caught);
  handler.prepare(codeAddress(libc.syscall), codeAddress(libc.__errno_location), WRITE_NUMBER, descriptor);

  function set(signals: readonly number[], address: number, flags: number): void {
    const action = fixedBuffer(SIGACTION_BYTES);
    const view = new DataView(action.buffer);
    view.setBigUint64(0, BigInt(address), true);
    view.setInt32(FLAGS_AT, flags, true);
    for (const signal of signals) libc.sigaction(signal, action, null);
  }
  return {
    catchTo: (signals) => set(signals, caught, SA_SIGINFO | SA_RESTART),
    ignore: (signals) => set(signals, 1, 0),
    reset: (signals) => set(signals, 0, 0),
  };
}

/** Where the native code of an ffi symbol is; bun-types does not declare the property. */
function codeAddress(symbol: object): Pointer {
  if ('ptr' in symbol && typeof symbol.ptr === 'number') return symbol.ptr as Pointer;
  throw new TypeError('Expected an ffi symbol with an address');
}

function openLibc() {
  let failure: unknown;
  for (const library of LIBC_NAMES) {
    try {
      return dlopen(library, {
        sigaction: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
        syscall: { args: [], returns: FFIType.i64_fast },
        __errno_location: { args: [], returns: FFIType.ptr },
      });
    } catch (error) {
      failure = error; // glibc and musl have different names: the next one may be there.
    }
  }
  throw new Error('Cannot load the C library', { cause: failure });
}

function compile() {
  const source = Buffer.from(SOURCE);
  const name = Buffer.from('signals\0');
  const file = syscall('memfd_create', addressOf(name), 1);
  try {
    syscall('write', file, addressOf(source), source.length);
    return cc({
      source: `/proc/self/fd/${file}`,
      flags: ['-nostdlib', '-xc'],
      symbols: {
        prepare: { args: [FFIType.ptr, FFIType.ptr, FFIType.i32, FFIType.i32], returns: FFIType.void },
        caught: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.void },
      },
    });
  } finally {
    syscall('close', file);
  }
}
