import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { follow } from './follow.ts';
import { waitFor } from './wait.ts';

/** Longer than any test. */
const DELAY_MICROSECONDS = 600_000_000;

/** A process and all that it starts, kept from making one system call. */
export interface Hold extends AsyncDisposable {
  /** Waits until somebody is held. @returns its pid. */
  held(): Promise<number>;
  /** Lets whoever is held go on. */
  release(): Promise<void>;
}

/** Holds `pid` and its descendants at the entry of `call`, by strace. */
export async function holdAt(pid: number, call: string): Promise<Hold> {
  const scratch = mkdtempSync(join(tmpdir(), 'nono-hold-'));
  const log = join(scratch, 'log');
  const inject = `inject=${call}:delay_enter=${DELAY_MICROSECONDS}`;
  const following = await follow(pid, ['-o', log, '-e', `trace=${call}`, '-e', inject]);
  const read = () => /^(\d+) +/m.exec(readFileSync(log, 'utf8'))?.[1];
  const release = async () => {
    await following[Symbol.asyncDispose]();
  };
  return {
    held: async () => Number(await waitFor(`somebody to be held at ${call}`, read, 30_000)),
    release,
    async [Symbol.asyncDispose]() {
      await release();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
