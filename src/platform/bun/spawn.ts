import { SystemError } from '../../errors.ts';
import type { ProcessExit, Spawn, StartedProcess } from '../../ports/spawn.ts';
import { signalNumber } from '../../signal-names.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from '../linux/syscalls.ts';

const CHANNEL = 3;
/** include/uapi/linux/socket.h and asm-generic/poll.h */
const SHUT_WR = 1;
const POLLIN = 1;
const POLLOUT = 4;
const READ_BYTES = 4096;

/** Processes by Bun.spawn, whose fourth stream is a socket pair. */
export function createBunSpawn(): Spawn {
  return {
    start({ file, arguments: words, environment }): StartedProcess {
      const child = Bun.spawn([file, ...words], { env: { ...environment }, stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
      const channel = child.stdio[CHANNEL];
      if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
      const exited = child.exited.then((code): ProcessExit => {
        const { signalCode } = child;
        return signalCode === null
          ? { code, signal: null }
          : { code: null, signal: typeof signalCode === 'number' ? signalCode : signalNumber(signalCode) };
      });
      return {
        pid: child.pid,
        exited,
        exchange(message) {
          writeAll(channel, message);
          trySyscall('shutdown', channel, SHUT_WR);
          return readAll(channel);
        },
        kill: (signal) => child.kill(signal),
      };
    },
  };
}

/** Blocks while the other side starts up; a side that died takes nothing more. */
function writeAll(descriptor: number, message: Uint8Array): void {
  for (let done = 0; done < message.length; ) {
    const rest = message.subarray(done);
    const written = trySyscall('write', descriptor, addressOf(rest), rest.length);
    if (written >= 0) {
      done += written;
      continue;
    }
    const errno = errnoName(-written);
    if (errno === 'EPIPE' || errno === 'ECONNRESET') return;
    if (isWouldBlock(errno)) waitFor(descriptor, POLLOUT);
    else if (errno !== 'EINTR') throw new SystemError('write', errno);
  }
}

/** Until the other side has closed its end. */
function readAll(descriptor: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = fixedBuffer(READ_BYTES);
    const length = trySyscall('read', descriptor, addressOf(piece), piece.length);
    if (length > 0) pieces.push(piece.subarray(0, length));
    else if (length === 0) return Buffer.concat(pieces);
    else readFailure(descriptor, errnoName(-length));
  }
}

function readFailure(descriptor: number, errno: string): void {
  if (isWouldBlock(errno)) waitFor(descriptor, POLLIN);
  else if (errno !== 'EINTR') throw new SystemError('read', errno);
}

function waitFor(descriptor: number, events: number): void {
  // struct pollfd: fd, events, revents.
  const request = fixedBuffer(8);
  const view = new DataView(request.buffer);
  view.setInt32(0, descriptor, true);
  view.setInt16(4, events, true);
  syscall('ppoll', addressOf(request), 1);
}

/** Two names of one number. */
function isWouldBlock(errno: string): boolean {
  return errno === 'EAGAIN' || errno === 'EWOULDBLOCK';
}
