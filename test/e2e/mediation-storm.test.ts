import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { descriptorsOf, findMediator } from '../support/mediators.ts';
import { startNono } from '../support/nono.ts';
import { compileProbe } from '../support/probe.ts';
import { VERBS } from '../support/sandboxed.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, USERS, type World } from '../support/world.ts';

const ROUNDS = 12;
/** Connects that wait all the time, and what the mediator has open for itself: listener, grants, its last caller. */
const WAITING = 20;
const OWN_MAXIMUM = 10;
const LIMIT_MS = 60_000;
const KINDS = USERS.flatMap((kind) => VERBS.map((verb) => ({ ...kind, verb })));

const storm = compileProbe('mediator-storm');
if (storm === undefined) console.warn('No storm is raised against the mediator: that needs a C compiler');
afterAll(() => storm?.[Symbol.dispose]());

describe.runIf(storm !== undefined).for(KINDS)('the mediator of $user under $verb', ({ ordinaryUser, verb }) => {
  test(
    'serves two hundred threads that end, are stopped and are killed, and keeps nothing of them',
    async () => {
      using world = createWorld({ ordinaryUser });
      const probe = storm?.copyTo(world) ?? '';
      const running = startNono(world, [verb, '--allow-cwd', '--', probe, String(ROUNDS)], {
        keepsInput: true,
        timeoutMs: LIMIT_MS,
      });
      const { child } = running;
      await waitFor('the storm to be over', () => running.stdout().includes('over'), LIMIT_MS);
      const task = await waitFor('its mediator', () => mediatorTask(world, verb, child.pid));
      // What the last callers left is let go when it looks again.
      await waitFor('the rest to be let go', () => readdirSync(`/proc/${task}/fd`).length <= WAITING + OWN_MAXIMUM, LIMIT_MS);

      child.stdin?.end();
      const { stdout, status } = await running.ended;
      expect({ status, said: stdout.trim().split('\n') }).toEqual({ status: 0, said: ['over', 'served'] });
    },
    LIMIT_MS,
  );
});

/** A process of its own, or a thread of nono's with descriptors of its own: as a path below /proc. */
function mediatorTask(world: World, verb: string, pid = 0): string | undefined {
  if (verb === 'wrap') return findMediator(world);
  const tasks = readdirSync(`/proc/${pid}/task`).map((thread) => `${pid}/task/${thread}`);
  return tasks.find((task) => descriptorsOf(task).includes(world.project));
}
