import type { Background, BackgroundCommand, BackgroundProcess } from '../../ports/background.ts';
import { followDescriptor, writeAll } from '../linux/channel.ts';
import { trySyscall } from '../linux/syscalls.ts';
import type { EarlyProcess } from './early-process.ts';
import { orSystemError } from './refused-spawn.ts';
import { type SpawnedInBackground, spawnInBackground } from './spawn-in-background.ts';

/** include/uapi/linux/socket.h */
const SHUT_RDWR = 2;

/** @param early What was started before anybody could follow it: the first who wants the same gets it. */
export function createBunBackground(early?: EarlyProcess): Background {
  let waiting = early;
  function takeEarly(command: BackgroundCommand): SpawnedInBackground | undefined {
    if (waiting === undefined || !isSame(waiting.command, command)) return undefined;
    const { spawned } = waiting;
    waiting = undefined;
    return spawned;
  }
  return {
    start({ onMessage, ...command }): BackgroundProcess {
      const { pid, kill, channel } = takeEarly(command) ?? orSystemError(() => spawnInBackground(command));
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
        pid,
        send: (message) => isOpen && writeAll(channel, message),
        kill,
        // What is followed has its end then, too.
        close: () => isOpen && trySyscall('shutdown', channel, SHUT_RDWR),
      };
    },
  };
}

function isSame(one: BackgroundCommand, other: BackgroundCommand): boolean {
  return [one.file, ...one.arguments].join('\0') === [other.file, ...other.arguments].join('\0');
}
