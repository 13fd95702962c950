import type { Background, BackgroundProcess } from '../../ports/background.ts';
import { followDescriptor, writeAll } from '../linux/channel.ts';
import { trySyscall } from '../linux/syscalls.ts';
import { orSystemError } from './refused-spawn.ts';

const CHANNEL = 3;
/** include/uapi/linux/socket.h */
const SHUT_RDWR = 2;

/** Processes by Bun.spawn, which calls setsid(2) for one that is detached. */
export function createBunBackground(): Background {
  return {
    start({ file, arguments: words, environment, onMessage }): BackgroundProcess {
      const child = orSystemError(() =>
        Bun.spawn([file, ...words], {
          env: { ...environment },
          cwd: '/',
          detached: true,
          stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        }),
      );
      const channel = child.stdio[CHANNEL];
      if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
      child.unref();
      let isOpen = true;
      followDescriptor(channel, (data) => {
        // The runtime leaves a descriptor whose number was read to whoever has read it.
        if (data.length === 0) {
          isOpen = false;
          trySyscall('close', channel);
        }
        onMessage(data);
      });
      return {
        pid: child.pid,
        send: (message) => isOpen && writeAll(channel, message),
        // What is followed has its end then, too.
        close: () => isOpen && trySyscall('shutdown', channel, SHUT_RDWR),
      };
    },
  };
}
