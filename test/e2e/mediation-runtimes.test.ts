import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld } from '../support/world.ts';

const VERBS = ['run', 'wrap'] as const;
const FIXTURES = resolve(import.meta.dirname, '../fixtures');
/** A compiler on a machine that is busy with other tests. */
const LIMIT_MS = 170_000;

describe('a program with many threads', () => {
  test('written in Go is served while its runtime interrupts them', { timeout: LIMIT_MS }, async (context) => {
    needCommands(context, 'go');
    using world = createWorld();
    copyFileSync(join(FIXTURES, 'threads.go'), join(world.project, 'threads.go'));
    const built = await runProgram(world, ['go', 'build', '-o', 'threads', 'threads.go'], {
      environment: { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local' },
      timeoutMs: LIMIT_MS,
    });
    if (built.status !== 0) context.skip(`go cannot build here: ${built.stderr.trim()}`);

    for (const verb of VERBS) {
      const { stdout, stderr } = await runNono(world, [verb, '--allow-cwd', '--', './threads'], { timeoutMs: LIMIT_MS });
      expect(stdout || stderr).toBe('done\n');
    }
  });

  test('written in Java is served while its collector stops them', { timeout: LIMIT_MS }, async (context) => {
    needCommands(context, 'javac', 'java');
    using world = createWorld();
    copyFileSync(join(FIXTURES, 'Threads.java'), join(world.project, 'Threads.java'));
    const built = await runProgram(world, ['javac', 'Threads.java'], { timeoutMs: LIMIT_MS });
    if (built.status !== 0) context.skip(`javac cannot compile here: ${built.stderr.trim()}`);

    for (const verb of VERBS) {
      const { stdout, stderr } = await runNono(world, [verb, '--allow-cwd', '--', 'java', 'Threads'], { timeoutMs: LIMIT_MS });
      expect(stdout || stderr).toBe('done\n');
    }
  });
});

describe('a mediated call whose mediator is gone', () => {
  test('fails at once, when the process of it was killed', async (context) => {
    needCommands(context, 'setsid');
    using world = createWorld();
    // A descendant that outlives the command, which is killed with its supervisor.
    const script = `setsid sh -c 'until test "$(ps -o ppid= -p '$$' 2>&1)" = ""; do :; done; chmod 600 f 2>error; echo $? >status' &
touch f; chmod 640 f; echo started; exec sleep 100`;
    const { child, ended } = startNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script]);
    await new Promise((done) => child.stdout?.once('data', done));

    child.kill('SIGKILL');
    await waitFor('the end of the descendant', () => existsSync(join(world.project, 'status')));
    await ended;
    expect(readFileSync(join(world.project, 'error'), 'utf8')).toContain('Function not implemented');
  });
});
