import { decodeLaunch, encodeAttemptResults, encodeLaunchFailure } from '../../sandbox/launch.ts';
import { attemptConfined, become } from './confine.ts';
import { handOverOn } from './descriptor-passing.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** The channel to the supervisor. */
const CHANNEL = 3;
const READ_BYTES = 64 * 1024;

/** Second argument of a launcher that has a terminal: its command gets a process group of its own, in the foreground. */
export const FOREGROUND = 'foreground';

/** include/uapi/asm-generic/signal.h, ioctls.h */
const SIGTTOU = 22;
const SIG_BLOCK = 0;
const SIGNAL_SET_BYTES = 8;
const TIOCSPGRP = 0x5410;

/**
 * The launcher role: reads its instructions, confines itself and becomes the command. It answers only
 * when a step failed; when it is the command, close-on-exec ends the channel.
 */
export function runLauncher(terminal: string | undefined): never {
  if (terminal === FOREGROUND) takeForeground();
  const launch = decodeLaunch(readMessage());
  const answer =
    launch.attempts === undefined
      ? encodeLaunchFailure(become(launch, handOverOn(CHANNEL, new Uint8Array(1))))
      : encodeAttemptResults(attemptConfined(launch, launch.attempts));
  for (let at = 0; at < answer.length; ) at += syscall('write', CHANNEL, addressOf(answer) + at, answer.length - at);
  // Nothing of the runtime may run on: this process is half confined.
  syscall('exit_group', 1);
  throw new Error('exit_group(2) returned');
}

function readMessage(): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = fixedBuffer(READ_BYTES);
    const length = syscall('read', CHANNEL, addressOf(piece), piece.length);
    if (length === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, length));
  }
}

/** Only the process itself can: after its execve(2) the parent may not set its group any more. */
function takeForeground(): void {
  syscall('setpgid', 0, 0);
  // A group in the background that asks for the terminal is stopped, unless it blocks the signal. The command's mask comes later.
  const mask = fixedBuffer(SIGNAL_SET_BYTES);
  new DataView(mask.buffer).setUint32(0, 1 << (SIGTTOU - 1), true);
  syscall('rt_sigprocmask', SIG_BLOCK, addressOf(mask), 0, SIGNAL_SET_BYTES);
  const group = fixedBuffer(4);
  new DataView(group.buffer).setInt32(0, process.pid, true);
  // A terminal that was hung up meanwhile has no foreground.
  trySyscall('ioctl', 0, TIOCSPGRP, addressOf(group));
}
