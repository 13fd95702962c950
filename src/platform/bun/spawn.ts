import type { ProcessExit, Spawn, StartedProcess } from '../../ports/spawn.ts';
import { signalNumber } from '../../signal-names.ts';
import { readAll, writeAll } from '../linux/channel.ts';
import { trySyscall } from '../linux/syscalls.ts';
import { orSystemError } from './refused-spawn.ts';

const CHANNEL = 3;
/** include/uapi/linux/socket.h */
const SHUT_WR = 1;

/** Processes by Bun.spawn, whose fourth stream is a socket pair. */
export function createBunSpawn(): Spawn {
  return {
    start({ file, arguments: words, environment }): StartedProcess {
      const child = orSystemError(() =>
        Bun.spawn([file, ...words], { env: { ...environment }, stdio: ['inherit', 'inherit', 'inherit', 'pipe'] }),
      );
      const channel = child.stdio[CHANNEL];
      if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
      const exited = child.exited.then((code) => processExit(code, child.signalCode));
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

/** @param signalCode As Bun tells it: a name, or a number where it has none. */
export function processExit(code: number, signalCode: string | number | null): ProcessExit {
  if (signalCode === null) return { code, signal: null };
  return { code: null, signal: typeof signalCode === 'number' ? signalCode : signalNumber(signalCode) };
}
