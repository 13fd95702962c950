import { existsSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { VERBS } from '../support/sandboxed.ts';
import { needCommands } from '../support/tools.ts';
import { canBecomeOrdinaryUser, createWorld } from '../support/world.ts';

/** Beyond all pids (PID_MAX_LIMIT of include/linux/threads.h). */
const NOBODYS_PID = 4194999;

describe.runIf(canBecomeOrdinaryUser())('where /proc hides processes', () => {
  test.for([1, 2])(
    'the TMPDIR of a command that runs is left alone by the runs beside it: hidepid=%i',
    async (hidepid, context) => {
      needCommands(context, 'unshare', 'mount');
      using world = createWorld({ ordinaryUser: true });
      const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
      // One run in many sweeps, another suite's too: this one shows when.
      const left = join('/tmp', `nono-abcdef-0123456789abcde${hidepid}.${NOBODYS_PID}.1.${namespace}`);
      const nono = world.executable;
      const script = `mount -t proc -o hidepid=${hidepid} proc /proc; exec "$@"`;
      const inside = 'echo $TMPDIR > place; until [ -e done ]; do sleep 0.05; done; [ -d $TMPDIR ] && echo kept';
      const runs = `mkdir -p ${left}; ${nono} wrap --allow-cwd -- sh -c '${inside}' & until [ -s place ]; do sleep 0.05; done
while [ -d ${left} ]; do ${nono} run --allow-cwd -- true || break; done; touch done; wait`;
      try {
        const words = ['unshare', '--mount', 'sh', '-c', script, 'sh', ...world.asUser, 'sh', '-c', runs] as const;
        const { stdout, stderr } = await runProgram({ ...world, asUser: [] }, words);

        expect({ stdout, stderr, isSwept: !existsSync(left) }).toEqual({ stdout: 'kept\n', stderr: '', isSwept: true });
      } finally {
        rmSync(left, { recursive: true, force: true });
      }
    },
  );
});

describe.runIf(canBecomeOrdinaryUser())('where the working directory has a /proc of its own', () => {
  test.for(VERBS)('%s does not share it for writing', async (verb, context) => {
    needCommands(context, 'unshare', 'mount');
    using world = createWorld();
    const within = ['unshare', '--mount', 'sh', '-c', 'mkdir -p proc && mount -t proc proc proc && exec "$@"', 'sh'] as const;
    const words = [verb, '--allow-cwd', '--', 'sh', '-c', ': >> proc/sys/kernel/core_pattern && echo opened'];

    expect(await runProgram(world, [...within, world.executable, ...words])).toMatchObject({
      status: 125,
      stdout: '',
      stderr: expect.stringContaining('project/proc, an interface of the kernel') as string,
    });
  });
});

describe.runIf(canBecomeOrdinaryUser())('where /proc is that of another pid namespace', () => {
  test.for(VERBS)('%s starts nothing: whose files there are whose cannot be told', async (verb, context) => {
    needCommands(context, 'unshare');
    using world = createWorld();
    const within = ['unshare', '--pid', '--fork', '--kill-child'] as const;
    const words = [world.executable, verb, '--allow-cwd', '--', 'touch', 'started'] as const;

    const { status, stderr } = await runProgram(world, [...within, ...words]);

    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: expect.stringContaining('of another pid namespace [E_SYSTEM]') as string,
    });
    expect(stderr).toContain('--mount-proc');
    expect(existsSync(join(world.project, 'started'))).toBe(false);
    expect(await runProgram(world, [...within, '--mount-proc', ...words])).toMatchObject({ status: 0 });
  });
});
