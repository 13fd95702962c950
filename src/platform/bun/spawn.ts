import { constants } from 'node:os';
import { SystemError } from '../../errors.ts';
import type { ProcessExit, Spawn, StartedProcess } from '../../ports/spawn.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from '../linux/syscalls.ts';

const CHANNEL = 3;
/** include/uapi/linux/socket.h and asm-generic/poll.h */
const SHUT_WR = 1;
const POLLOUT = 4;

/** Processes by Bun.spawn, whose fourth stream is a socket pair. */
export function createBunSpawn(): Spawn {
  return {
    start({ file, arguments: words, environment }): StartedProcess {
      const child = Bun.spawn([file, ...words], { env: { ...environment }, stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
      const channel = child.stdio[CHANNEL];
      if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
      const exited = child.exited.then((code): ProcessExit => {
        const { signalCode } = child;
        return signalCode === null ? { code, signal: null } : { code: null, signal: signalNumber(signalCode) };
      });
      return {
        pid: child.pid,
        exited,
        async exchange(message) {
          writeAll(channel, message);
          trySyscall('shutdown', channel, SHUT_WR);
          return new Uint8Array(await Bun.file(channel).arrayBuffer());
        },
        kill: (signal) => child.kill(signal),
      };
    },
  };
}

/** Bun gives a number for a signal that has no name. */
function signalNumber(signal: NodeJS.Signals | number): number {
  return typeof signal === 'number' ? signal : constants.signals[signal];
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
    if (errno === 'EAGAIN') waitUntilWritable(descriptor);
    else if (errno !== 'EINTR') throw new SystemError('write', errno);
  }
}

function waitUntilWritable(descriptor: number): void {
  const request = fixedBuffer(8);
  const view = new DataView(request.buffer);
  view.setInt32(0, descriptor, true);
  view.setInt16(4, POLLOUT, true);
  syscall('ppoll', addressOf(request), 1);
  view.getInt16(6, true);
}
