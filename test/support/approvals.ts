import { join } from 'node:path';
import { type Outcome, type Running, runNono, runProgram, startNono } from './nono.ts';
import { waitFor } from './wait.ts';
import type { World } from './world.ts';

/** Longer than anything that is asked here takes on a loaded machine. */
export const LONG_MS = 120_000;

/** As `nono approvals --json` has it. */
export interface ListedQuestion {
  readonly id: string;
  readonly session_id: string;
  readonly access: string;
  readonly path: string;
  readonly paths: readonly unknown[];
  readonly requests: number;
  readonly pid: number;
  readonly asked: string;
  readonly expires: string;
}

/** Programs that ask, in a world that has `out` outside the grants: files `f` and `g`, and a directory `sub`. */
export interface Asking extends AsyncDisposable {
  readonly out: string;
  /** Runs a script beside the sandbox, as the world's user. */
  sh(script: string): Promise<Outcome>;
  /** Runs one inside, asking. It is ended with the test. */
  start(script: string, ...options: readonly string[]): Running;
  list(): Promise<readonly ListedQuestion[]>;
  /** Waits for a question about the path. */
  asked(path: string): Promise<ListedQuestion>;
  answer(...words: readonly string[]): Promise<Outcome>;
}

export async function openAsking(world: World): Promise<Asking> {
  const out = join(world.home, 'out');
  const running: Running[] = [];
  const sh = (script: string) => runProgram(world, ['sh', '-c', script]);
  const list = async () => {
    const { stdout } = await runNono(world, ['approvals', '--json']);
    return (JSON.parse(stdout) as { readonly approvals: readonly ListedQuestion[] }).approvals;
  };
  await sh(`mkdir ${out} ${out}/sub; printf allowed > ${out}/f; printf secret > ${out}/g`);
  return {
    out,
    sh,
    list,
    start(script, ...options) {
      const started = startNono(world, ['run', '--ask', '--allow-cwd', ...options, '--', 'sh', '-c', script], {
        timeoutMs: LONG_MS,
      });
      running.push(started);
      return started;
    },
    asked: (path) => waitFor(`a question for ${path}`, async () => (await list()).find((question) => question.path === path)),
    answer: (...words) => runNono(world, words),
    [Symbol.asyncDispose]: async () => {
      for (const { child } of running) child.kill('SIGTERM');
      await Promise.all(running.splice(0).map(({ ended }) => ended));
    },
  };
}
