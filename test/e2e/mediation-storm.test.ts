import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { descriptorsOf, findMediator } from '../support/mediators.ts';
import { startNono } from '../support/nono.ts';
import { compileProbe } from '../support/probe.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

const ROUNDS = 12;
const LIMIT_MS = 60_000;
const KINDS = [
  { user: 'the caller', ordinaryUser: false },
  ...(canBecomeOrdinaryUser() ? [{ user: 'an ordinary user', ordinaryUser: true }] : []),
].flatMap((kind) => ['run', 'wrap'].map((verb) => ({ ...kind, verb })));

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
      await waitFor('the first round', () => running.stdout().includes('once'), LIMIT_MS);
      const task = await waitFor('its mediator', () => mediatorTask(world, verb, child.pid));
      const held = (): number => readdirSync(`/proc/${task}/fd`).length;
      // What the last callers left is let go within a look.
      const settled = async (): Promise<number> => {
        let last = Number.POSITIVE_INFINITY;
        return await waitFor('the mediator to settle', () => {
          const before = last;
          last = held();
          return last === before ? last : undefined;
        });
      };
      const before = await settled();

      child.stdin?.write('\n');
      await waitFor('the other rounds', () => running.stdout().includes('again'), LIMIT_MS);
      expect(await settled()).toBeLessThanOrEqual(before + 2);

      child.stdin?.end();
      const { stdout, status } = await running.ended;
      expect({ status, said: stdout.trim().split('\n') }).toEqual({ status: 0, said: ['once', 'again', 'served'] });
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
