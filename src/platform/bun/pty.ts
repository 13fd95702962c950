import { EXIT, NonoError } from '../../errors.ts';
import type { Pty, PtyStart } from '../../ports/pty.ts';
import { followDescriptor, writeAll } from '../linux/channel.ts';
import { PtyInput } from '../linux/pty-input.ts';
import { processExit } from './spawn.ts';

const CHANNEL = 3;

/**
 * How long to go on reading once the process is reaped, in milliseconds: `exited` may settle before the last
 * data (Bun 1.4), and a process that survived may hold the terminal for ever.
 */
const DRAIN_TIMEOUT_MS = 250;

/** A pseudo-terminal by Bun.spawn, which makes the process the leader of a session on it. */
export function startBunPty({ file, arguments: words, environment, columns, rows, onData, onMessage }: PtyStart): Pty {
  const { promise: endOfFile, resolve: onEnd } = Promise.withResolvers<void>();
  const child = spawnOnTerminal(() =>
    Bun.spawn([file, ...words], {
      env: { ...environment },
      // Inline: the parent keeps the slave of a terminal that is made before, and end-of-file never comes.
      terminal: {
        cols: columns,
        rows,
        data: (_terminal, data) => onData(data),
        exit: () => onEnd(),
        drain: () => input.drained(),
      },
      stdio: [null, null, null, 'pipe'],
    }),
  );
  const { terminal } = child;
  const channel = child.stdio[CHANNEL];
  if (terminal === undefined) throw new TypeError('Bun.spawn() gave no terminal');
  const input = new PtyInput(
    () => child.pid,
    (data) => void terminal.write(data),
  );
  if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
  followDescriptor(channel, onMessage);

  async function end() {
    const code = await child.exited;
    await Promise.race([endOfFile, Bun.sleep(DRAIN_TIMEOUT_MS)]);
    return processExit(code, child.signalCode);
  }
  return {
    pid: child.pid,
    exited: end(),
    write: (data) => input.write(data),
    resize: (size) => terminal.resize(size.columns, size.rows),
    send: (message) => writeAll(channel, message),
    kill: (signal) => child.kill(signal),
    [Symbol.dispose]() {
      input[Symbol.dispose]();
      terminal.close();
    },
  };
}

/** @throws {NonoError} in a container or a root directory without usable pseudo-terminals. */
function spawnOnTerminal<T>(spawn: () => T): T {
  try {
    return spawn();
  } catch (error) {
    throw new NonoError('E_TERMINAL', EXIT.nonoFailed, 'Cannot make a terminal for the command', {
      cause: error,
      hint: 'Mount devpts on /dev/pts with ptmxmode=0666 and make /dev/ptmx a link to pts/ptmx',
    });
  }
}
