import { SystemError } from '../../errors.ts';
import type { Background, BackgroundProcess, BackgroundStart } from '../../ports/background.ts';
import { followDescriptor, writeAll } from '../linux/channel.ts';
import { trySyscall } from '../linux/syscalls.ts';
import { orSystemError } from './refused-spawn.ts';

const CHANNEL = 3;
/** include/uapi/linux/socket.h */
const SHUT_RDWR = 2;

type BackgroundCommand = Omit<BackgroundStart, 'onMessage'>;

interface Started {
  readonly pid: number;
  readonly kill: (signal: number) => void;
  /** The descriptor of our end. */
  readonly channel: number;
}

/** What startEarly() has started, until start() takes it. */
let early: (Started & { readonly words: readonly string[] }) | undefined;

/**
 * Starts what will be wanted while nobody knows yet what to tell it: start() of the same command takes it over. Where the system refuses it, it will tell
 * that to start(), too.
 */
export function startEarly(command: BackgroundCommand): void {
  try {
    early = { ...spawn(command), words: command.arguments };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/** Processes by Bun.spawn, which calls setsid(2) for one that is detached. */
export function createBunBackground(): Background {
  return {
    start({ onMessage, ...command }): BackgroundProcess {
      const { pid, kill, channel } = takeEarly(command) ?? spawn(command);
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

function takeEarly({ arguments: words }: BackgroundCommand): Started | undefined {
  const started = early?.words === words ? early : undefined;
  if (started !== undefined) early = undefined;
  return started;
}

function spawn({ file, arguments: words, environment }: BackgroundCommand): Started {
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
  return { pid: child.pid, kill: (signal) => child.kill(signal), channel };
}
