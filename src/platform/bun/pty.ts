import { EXIT, NonoError, SystemError } from '../../errors.ts';
import type { Pty, PtyStart, TerminalSize } from '../../ports/pty.ts';
import type { Shortcut } from '../../ports/shortcut.ts';
import type { Connection } from '../../ports/socket.ts';
import { followDescriptor, writeAll } from '../linux/channel.ts';
import { PtyInput } from '../linux/pty-input.ts';
import { findMaster, resizeTerminal } from '../linux/pty-master.ts';
import { isLender } from '../linux/relay/lent-socket.ts';
import { type Relay, startRelay } from '../linux/relay/relay.ts';
import { processExit } from './spawn.ts';

const CHANNEL = 3;
const ESCAPE = '\x1b';

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
        data(_terminal, data) {
          onData(data, false);
          // Not in the midst of what the runtime does with it.
          setImmediate(() => relayed.get());
        },
        exit: () => relayed.made === undefined && onEnd(),
      },
      stdio: [null, null, null, 'pipe'],
    }),
  );
  const { terminal } = child;
  const channel = child.stdio[CHANNEL];
  if (terminal === undefined) throw new TypeError('Bun.spawn() gave no terminal');
  if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
  const relayed = new LazyRelay(() => child.pid, terminal, { onData, onEnd });
  followDescriptor(channel, onMessage);

  async function end() {
    const code = await child.exited;
    await Promise.race([endOfFile, Bun.sleep(DRAIN_TIMEOUT_MS)]);
    relayed.made?.relay.drain();
    return processExit(code, child.signalCode);
  }
  return {
    pid: child.pid,
    exited: end(),
    write: (data) => relayed.write(data),
    resize: (size) => relayed.resize(size),
    send: (message) => writeAll(channel, message),
    kill: (signal) => child.kill(signal),
    join: (connection, onIdle) => relayed.join(connection, onIdle),
    drain: () => relayed.made?.relay.drain(),
    readAhead: (bytes) => relayed.made?.relay.readAhead(bytes),
    [Symbol.dispose]() {
      relayed[Symbol.dispose]();
      terminal.close();
    },
  };
}

interface Made {
  readonly master: number;
  readonly relay: Relay;
  readonly input: PtyInput;
}

/**
 * The terminal that the runtime made is read by it until something comes: most short commands write nothing. From then on
 * by a relay, which reads more at a time, and passes on without a turn of the loop.
 */
class LazyRelay implements Disposable {
  readonly #pid: () => number;
  readonly #terminal: Bun.Terminal;
  readonly #handlers: { readonly onData: PtyStart['onData']; readonly onEnd: () => void };
  #isTried = false;
  made: Made | undefined;

  constructor(
    pid: () => number,
    terminal: Bun.Terminal,
    handlers: { readonly onData: PtyStart['onData']; readonly onEnd: () => void },
  ) {
    this.#pid = pid;
    this.#terminal = terminal;
    this.#handlers = handlers;
  }

  /** Undefined where the runtime's terminal was not found, or is closed. */
  get(): Made | undefined {
    if (!this.#isTried) this.#make();
    this.#isTried = true;
    return this.made;
  }

  write(data: Uint8Array): void {
    const made = this.get();
    if (made === undefined) {
      if (!this.#terminal.closed) this.#terminal.write(data);
      return;
    }
    const letIn = made.relay.keepOut();
    made.input.write(made.relay.takePendingForTerminal());
    made.input.write(data);
    // Else when all of it is taken, and it is opened.
    if (made.input.isEmpty) letIn();
  }

  resize({ columns, rows }: TerminalSize): void {
    if (this.made !== undefined) resizeTerminal(this.made.master, columns, rows);
    else if (!this.#terminal.closed) this.#terminal.resize(columns, rows);
  }

  join(connection: Connection, onIdle: () => void): Shortcut | undefined {
    if (!isLender(connection)) return undefined;
    const made = this.get();
    const shortcut = made?.relay.join(connection, isTyped, onIdle);
    if (made === undefined || shortcut === undefined) return undefined;
    return {
      ...shortcut,
      // What is kept for the terminal comes first.
      open: (directions) => shortcut.open({ ...directions, toTerminal: directions.toTerminal && made.input.isEmpty }),
      answerFence: (frame) => made.input.isEmpty && shortcut.answerFence(frame),
    };
  }

  [Symbol.dispose](): void {
    this.#isTried = true;
    this.made?.relay[Symbol.dispose]();
  }

  #make(): void {
    const master = this.#terminal.closed ? undefined : findMaster(this.#pid());
    if (master === undefined) return;
    const { onData, onEnd } = this.#handlers;
    const relay = startRelay(master, {
      isSession: true,
      handlers: {
        onTerminal: onData,
        onTerminalEnd: onEnd,
        onRoom: () => input.hasRoom(),
        onStuck: (data) => input.write(data),
      },
    });
    if (relay === undefined) return;
    const input = new PtyInput(master, () => relay.wantRoom());
    this.made = { master, relay, input };
    this.#terminal.close();
  }
}

/** With an escape begins what may be an answer to the model, or to nono. */
function isTyped(typed: string): boolean {
  return typed !== ESCAPE;
}

/** @throws {NonoError} in a container or a root directory without usable pseudo-terminals. @throws {SystemError} EAGAIN when there is one, and no process for it. */
function spawnOnTerminal<T>(spawn: () => T): T {
  try {
    return spawn();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') throw new SystemError('posix_spawn', 'EAGAIN');
    throw new NonoError('E_TERMINAL', EXIT.nonoFailed, 'Cannot make a terminal for the command', {
      cause: error,
      hint: 'Mount devpts on /dev/pts with ptmxmode=0666 and make /dev/ptmx a link to pts/ptmx',
    });
  }
}
