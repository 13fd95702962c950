import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { ReadStream } from 'node:tty';
import { native } from 'node-pty';
import type { World } from './world.ts';

/** A terminal of 80 by 24 whose bytes a test sees as they come, and that need not be read. */
export interface RawTerminal extends Disposable {
  /** Of the process that was started on it. */
  readonly pid: number;
  /** All that was written to it. */
  output(): string;
  type(text: string): void;
  /** Nothing more is read from it, until resume(). */
  pause(): void;
  resume(): void;
  /** The exit status, or the signal. */
  readonly ended: Promise<number | string | null>;
}

/** Starts nono with `words` on a terminal of its own. */
export function startOnTerminal(world: World, words: readonly string[]): RawTerminal {
  const { master, slave } = native.open(80, 24);
  const child = spawn('setsid', ['--ctty', ...world.asUser, world.executable, ...words], {
    cwd: world.project,
    env: { ...world.environment, TERM: 'xterm-256color' },
    stdio: [slave, slave, slave],
  });
  const stream = new ReadStream(master);
  let text = '';
  stream.on('data', (data: Buffer) => {
    text += data.toString('latin1');
  });
  // Linux answers EIO where nobody has the terminal open any more.
  stream.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    output: () => text,
    type: (keys) => void fs.writeSync(master, keys),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    ended: new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal))),
    [Symbol.dispose]() {
      child.kill('SIGKILL');
      fs.closeSync(slave);
      stream.destroy();
    },
  };
}
