import { once } from 'node:events';
import { copyFileSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { VERBS } from '../support/sandboxed.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld } from '../support/world.ts';

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

describe('a mediator that is killed with its process', () => {
  test('leaves nobody who waits for it: the tree ends too', async (context) => {
    needCommands(context, 'setsid');
    using world = createWorld();
    const script = `setsid sh -c 'while :; do chmod 600 f; done' & echo $!; touch f; exec sleep 100`;
    const { child, ended } = startNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script]);
    const [first] = await once(child.stdout as Readable, 'data');
    const descendant = Number(String(first));
    await waitFor('the first mediated call', () => existsSync(join(world.project, 'f')));

    child.kill('SIGKILL');
    await ended;
    await waitFor('the end of the descendant', () => !existsSync(`/proc/${descendant}`));
    expect(existsSync(join(world.project, 'f'))).toBe(true);
  });
});
