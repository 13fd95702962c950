import type { CaughtSignal, Signals } from '../../ports/signals.ts';
import { parseSignals } from '../../signal-state.ts';
import { followDescriptor } from './channel.ts';
import { makePipe } from './pipe.ts';
import { createSignalCatcher, SIGINFO_BYTES } from './signal-catcher.ts';
import { readUnlessGone } from './small-files.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** Numbers of include/uapi/asm-generic/signal.h; SIGCHLD and the stops are the same on x64 and arm64. */
const SIGCHLD = 17;
const SIGSTOP = 19;
const FORWARDED: readonly number[] = [1, 2, 3, 15]; // SIGHUP SIGINT SIGQUIT SIGTERM
const SIGTSTP = 20;
const SIGTTIN = 21;
const SIGTTOU = 22;
const STOPPING: readonly number[] = [SIGTSTP, SIGTTIN, SIGTTOU];

/** include/uapi/linux/wait.h */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WNOWAIT = 0x01000000;
/** Offsets in siginfo_t. */
const CODE_AT = 8;
const PID_AT = 16;
const UID_AT = 20;
const STATUS_AT = 24;

/** include/uapi/asm-generic/ioctls.h */
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;

let terminalPath: Buffer | undefined;

/** Signals with the sender's details, and job control, by direct system calls. */
export function createLinuxSignals(): Signals {
  return {
    watch,
    stopSignal,
    stopSelf: () => void syscall('kill', process.pid, SIGSTOP),
    stopGroup(why) {
      const signal = why === 'key' ? SIGTSTP : SIGTTOU;
      const catcher = createSignalCatcher();
      // What is ignored stops nobody.
      catcher.reset([signal]);
      syscall('kill', 0, signal);
      catcher.ignore([signal]);
    },
    ignores,
    send: (pid, signal) => void trySyscall('kill', pid, signal),
    foregroundGroup: () =>
      withTerminal((terminal) => {
        const group = fixedBuffer(4);
        return trySyscall('ioctl', terminal, TIOCGPGRP, addressOf(group)) < 0
          ? undefined
          : new DataView(group.buffer).getInt32(0, true);
      }),
    setForegroundGroup: (group) =>
      void withTerminal((terminal) => {
        const wanted = fixedBuffer(4);
        new DataView(wanted.buffer).setInt32(0, group, true);
        return trySyscall('ioctl', terminal, TIOCSPGRP, addressOf(wanted));
      }),
    groupOf(pid) {
      const group = trySyscall('getpgid', pid);
      return group < 0 ? undefined : group;
    },
  };
}

function watch({ onSignal, onChild, isReader = false }: Parameters<Signals['watch']>[0]): Disposable {
  const { source, sink } = makePipe(uapi.O_NONBLOCK);
  const catcher = createSignalCatcher();
  catcher.catchTo(sink, [...FORWARDED, SIGCHLD]);
  // Ignored, not caught: this process stops when the command has stopped, not before it.
  catcher.ignore(STOPPING.filter((signal) => signal !== SIGTTIN || !isReader));
  const following = followDescriptor(source, recordReader(onSignal, onChild));
  return {
    [Symbol.dispose]() {
      catcher.reset([...FORWARDED, SIGCHLD, ...STOPPING]);
      following[Symbol.dispose]();
      syscall('close', sink);
      syscall('close', source);
    },
  };
}

/** Writes to a pipe of no more than PIPE_BUF bytes are whole, but a read may end within a record. */
function recordReader(onSignal: (caught: CaughtSignal) => void, onChild: () => void): (value: Uint8Array) => void {
  let rest: Uint8Array = new Uint8Array();
  return (value) => {
    const data = rest.length === 0 ? value : Buffer.concat([rest, value]);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    for (; at + SIGINFO_BYTES <= data.length; at += SIGINFO_BYTES) {
      const signal = view.getInt32(at, true);
      if (signal === SIGCHLD) onChild();
      else onSignal(describe(signal, view, at));
    }
    rest = data.slice(at);
  };
}

function describe(signal: number, view: DataView, at: number): CaughtSignal {
  const isFromProcess = view.getInt32(at + CODE_AT, true) <= 0;
  const sender = { pid: view.getInt32(at + PID_AT, true), uid: view.getUint32(at + UID_AT, true) };
  return { signal, isFromProcess, sender: isFromProcess ? sender : undefined };
}

function ignores(pid: number, signal: number): boolean {
  return parseSignals(readUnlessGone(`/proc/${pid}/status`) ?? '').ignored.includes(signal);
}

function stopSignal(pid: number): number | undefined {
  const details = fixedBuffer(SIGINFO_BYTES);
  if (trySyscall('waitid', P_PID, pid, addressOf(details), WSTOPPED | WNOHANG | WNOWAIT) < 0) return undefined;
  const view = new DataView(details.buffer);
  return view.getInt32(PID_AT, true) === pid ? view.getInt32(STATUS_AT, true) : undefined;
}

function withTerminal<T>(use: (terminal: number) => T): T | undefined {
  terminalPath ??= Buffer.from('/dev/tty\0');
  const terminal = trySyscall('openat', uapi.AT_FDCWD, addressOf(terminalPath), uapi.O_RDWR | uapi.O_NOCTTY | uapi.O_CLOEXEC);
  if (terminal < 0) return undefined;
  try {
    return use(terminal);
  } finally {
    syscall('close', terminal);
  }
}
