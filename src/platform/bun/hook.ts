import type { RunHook } from '../../session/approval-host.ts';

/** A hook that takes longer is ended. */
const HOOK_TIMEOUT_MS = 30_000;
/** While so many run, further ones are left out: the questions are in the list all the same. */
const RUNNING_MAXIMUM = 4;

/** Hooks by the shell, with this environment. */
export function createHookRunner(environment: Readonly<Record<string, string>>): RunHook {
  let running = 0;
  return (command, input) => {
    if (running >= RUNNING_MAXIMUM) return;
    running += 1;
    const child = Bun.spawn(['/bin/sh', '-c', command], {
      cwd: '/',
      env: { ...environment },
      stdin: Buffer.from(input, 'utf8'),
      stdout: 'ignore',
      stderr: 'ignore',
      timeout: HOOK_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.unref();
    void child.exited.finally(() => {
      running -= 1;
    });
  };
}
