import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { ReadStream } from 'node:tty';
import { native } from 'node-pty';
import type { Pty, PtyStart } from '../../ports/pty.ts';
import type { ProcessExit } from '../../ports/spawn.ts';

const CHANNEL = 3;
/** Once the process is reaped: so long without output is the end of it, and so long at most. */
const QUIET_MS = 50;
const DRAIN_TIMEOUT_MS = 1000;
/** A terminal that takes nothing now is asked again. */
const WRITE_AGAIN_MS = 5;

/**
 * A pseudo-terminal by node-pty, for the tests that run under Node. Its own spawn() gives a process a terminal and nothing
 * else: setsid(1) makes one the leader of a session on a terminal that was opened before, with a fourth stream.
 */
export function startNodePty({ file, arguments: words, environment, columns, rows, onData, onMessage }: PtyStart): Pty {
  const { master, slave } = native.open(columns, rows);
  const child = spawn('setsid', ['--ctty', file, ...words], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: [slave, slave, slave, 'pipe'],
  });
  const channel = child.stdio[CHANNEL] as Duplex;
  channel.on('data', (data: Buffer) => onMessage(data));
  channel.on('close', () => onMessage(new Uint8Array()));
  channel.on('error', () => undefined);
  const output = new ReadStream(master);
  let lastMs = performance.now();
  output.on('data', (data: Buffer) => {
    lastMs = performance.now();
    onData(data, false);
  });
  // Linux answers EIO where nobody has the terminal open any more.
  output.on('error', () => undefined);
  const reaped = new Promise<ProcessExit>((resolve) => {
    child.on('exit', (code, signal) =>
      resolve(signal === null ? { code, signal: null } : { code: null, signal: constants.signals[signal] }),
    );
  });

  async function end(): Promise<ProcessExit> {
    const exit = await reaped;
    const reapedMs = performance.now();
    const endMs = reapedMs + DRAIN_TIMEOUT_MS;
    // Node drops what it has not read when the other side is closed: this process holds it open until nothing more comes.
    while (performance.now() < Math.min(endMs, Math.max(lastMs, reapedMs) + QUIET_MS))
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    fs.closeSync(slave);
    return exit;
  }
  return {
    pid: child.pid ?? 0,
    exited: end(),
    write: createWriter(master),
    resize: (size) => native.resize(master, size.columns, size.rows),
    send: (message) => void channel.write(message),
    kill: (signal) => void (child.exitCode === null && child.signalCode === null && child.kill(signal)),
    [Symbol.dispose]: () => output.destroy(),
  };
}

/** In their order, whatever the terminal takes at once; what comes after its end is lost. */
function createWriter(descriptor: number): (data: Uint8Array) => void {
  let kept: Buffer = Buffer.alloc(0);
  let isWriting = false;
  function go(): void {
    isWriting = kept.length > 0;
    if (!isWriting) return;
    fs.write(descriptor, kept, (error, written) => {
      if (error !== null && error.code !== 'EAGAIN') {
        kept = Buffer.alloc(0);
        isWriting = false;
      } else if (error !== null) setTimeout(go, WRITE_AGAIN_MS);
      else {
        kept = kept.subarray(written);
        go();
      }
    });
  }
  return (data) => {
    kept = Buffer.concat([kept, data]);
    if (!isWriting) go();
  };
}
