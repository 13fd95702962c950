import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import type { ProcessExit, Spawn, StartedProcess } from '../../ports/spawn.ts';

const CHANNEL = 3;

/** Processes by node:child_process, whose fourth stream is a socket pair too. */
export function createNodeSpawn(): Spawn {
  return {
    start({ file, arguments: words, environment }): StartedProcess {
      const child = spawn(file, words, { env: { ...environment }, stdio: ['inherit', 'inherit', 'inherit', 'pipe'] });
      const channel = child.stdio[CHANNEL] as Duplex;
      // A process that dies before it has read everything is no failure of ours.
      channel.on('error', () => undefined);
      if (child.pid === undefined) throw new TypeError(`Cannot start "${file}"`);
      return {
        pid: child.pid,
        exited: new Promise<ProcessExit>((resolve) => {
          child.on('exit', (code, signal) =>
            resolve(signal === null ? { code, signal: null } : { code: null, signal: constants.signals[signal] }),
          );
        }),
        exchange: (message) => exchange(channel, message),
        kill: (signal) => void killUnlessReaped(child, signal),
      };
    },
  };
}

async function exchange(channel: Duplex, message: Uint8Array): Promise<Uint8Array> {
  if (channel.closed) return new Uint8Array();
  const pieces: Buffer[] = [];
  channel.on('data', (piece: Buffer) => pieces.push(piece));
  const closed = new Promise<void>((resolve) => channel.once('close', resolve));
  // A write to a side that is closed drops what came from there and was not read yet.
  await new Promise((resolve) => setImmediate(resolve));
  if (message.length > 0) channel.write(message);
  channel.end();
  await closed;
  return Buffer.concat(pieces);
}

function killUnlessReaped(child: ChildProcess, signal: number): boolean {
  return child.exitCode === null && child.signalCode === null && child.kill(signal);
}
