import { decodeLaunch, encodeAttemptResults, encodeLaunchFailure } from '../../sandbox/launch.ts';
import { attemptConfined, become } from './confine.ts';
import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** The channel to the supervisor. */
const CHANNEL = 3;
const READ_BYTES = 64 * 1024;

/**
 * The launcher role: reads its instructions, confines itself and tries what it is told to, or becomes the command, whose calls nobody mediates. It answers with
 * what came of it, or when a step failed; when it is the command, close-on-exec ends the channel.
 */
export function runLauncher(): never {
  const launch = decodeLaunch(readMessage());
  const answer =
    launch.attempts === undefined
      ? encodeLaunchFailure(become(launch, () => undefined))
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
