import { spawn } from 'node:child_process';
import { isAlive } from './sessions.ts';
import { waitFor } from './wait.ts';

const END_MS = 60_000;

/**
 * Has strace follow a process that runs already, and all that it starts from now on, until it is disposed of.
 *
 * @param words After `strace -f`.
 */
export async function follow(pid: number, words: readonly string[]): Promise<AsyncDisposable> {
  const tracer = spawn('strace', ['-f', ...words, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let hasEnded = false;
  tracer.on('exit', () => {
    hasEnded = true;
  });
  let said = '';
  tracer.stderr.on('data', (data: Buffer) => (said += data.toString()));
  await waitFor('strace to be attached', () => said.includes('attached'));
  return {
    async [Symbol.asyncDispose]() {
      tracer.kill('SIGTERM');
      const isOver = () => {
        // Told to end while the process dies, strace waits for its leader, which no wait gives before its other threads: for ever.
        if (!hasEnded && !isAlive(pid)) tracer.kill('SIGKILL');
        return hasEnded;
      };
      await waitFor('strace to end', isOver, END_MS);
    },
  };
}
