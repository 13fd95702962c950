import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { describeFailure } from '../../src/errors.ts';
import { takeCheckpoint } from '../../src/rollback/checkpoint.ts';
import { DEFAULT_LIMITS } from '../../src/rollback/default-limits.ts';
import { abortRestore, findUnfinished, resumeRestore } from '../../src/rollback/interrupted.ts';
import { findOrphans, removeSessions } from '../../src/rollback/removal.ts';
import { stride } from '../support/effort.ts';
import { makeTree } from '../support/small-tree.ts';
import { dumpTree } from '../support/tree.ts';
import { Engine } from './support/engine.ts';
import { FaultPlan, makeFaulty } from './support/faulty-files.ts';

/** What a file system may answer at any call; a full disk goes on being full. */
const ERRNOS = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENOMEM', 'EROFS'] as const;
/** Each error takes another few of the calls; `npm run prove` lets most calls fail with every error. */
const STRIDE = stride(40);
const OK = { exitCode: 0, signal: undefined };
const counts: string[] = [];

afterAll(() => {
  process.stdout.write(`Calls that were made to fail, one in each attempt:\n${counts.map((line) => `  ${line}\n`).join('')}`);
});

function edit(root: string): void {
  fs.writeFileSync(join(root, 'a'), 'changed\n');
  for (const path of ['gone', 'link', 'empty', 'sub/deep']) fs.rmSync(join(root, path), { recursive: true });
  fs.mkdirSync(join(root, 'new/er'), { recursive: true });
  fs.writeFileSync(join(root, 'new/er/f'), 'n');
  fs.chmodSync(join(root, 'sub/b'), 0o600);
  fs.writeFileSync(join(root, 'sub/deep'), 'file\n');
  fs.symlinkSync('/', join(root, 'link'));
}

interface Attempt extends Disposable {
  readonly engine: Engine;
  readonly before: readonly string[];
}

function faulty(plan: FaultPlan): Attempt {
  const engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(files, plan) }));
  makeTree(engine.root);
  return { engine, before: dumpTree(engine.root), [Symbol.dispose]: () => engine[Symbol.dispose]() };
}

/** What the user sees is no bug's stack. */
async function failure(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const { text } = describeFailure(error);
    if (text.startsWith('Internal error')) throw error;
    return text;
  }
}

async function expectSound(engine: Engine, context: string): Promise<void> {
  using store = engine.store();
  for (const id of store.ids()) expect((await engine.verify(id)).findings, `${context} ${id}`).toEqual([]);
}

/** Completes or takes back whatever a restore left, as the next command does, and restores. */
async function restoreAgain(engine: Engine, id: string, isAbort: boolean): Promise<void> {
  using store = engine.store();
  const manifests = store.manifests((unreadable) => expect.fail(unreadable.error.message));
  for (const safety of findUnfinished(manifests, bytesFromText(id)))
    await (isAbort ? abortRestore : resumeRestore)(engine.deps, store, safety);
  await engine.restore(id);
}

/** Lets one call after the other fail until none is left. */
async function each(
  what: string,
  errno: string,
  isLasting: boolean,
  attempt: (plan: FaultPlan, arm: () => void, context: string) => Promise<void>,
): Promise<void> {
  let failed = 0;
  const calls = new Set<string>();
  for (let turn = 1 + ((ERRNOS.indexOf(errno as (typeof ERRNOS)[number]) * 4) % STRIDE); ; turn += STRIDE) {
    const plan = new FaultPlan();
    await attempt(plan, () => plan.arm(turn, errno, { isLasting }), `${what} ${errno} at call ${turn}`);
    if (plan.failed === undefined) break;
    calls.add(plan.failed);
    failed += 1;
  }
  counts.push(
    `${what.padEnd(10)} ${errno.padEnd(7)} ${isLasting ? 'and all writes after it ' : ''}${failed} (${[...calls].sort().join(', ')})`,
  );
  expect(failed).toBeGreaterThan(0);
}

const CASES = [...ERRNOS.map((errno) => ({ errno, isLasting: false })), { errno: 'ENOSPC', isLasting: true }] as const;

describe.for(CASES)('$errno at any call (lasting: $isLasting)', ({ errno, isLasting }) => {
  test('of a baseline leaves no session or a whole one, and the tree as it was', async () => {
    await each('baseline', errno, isLasting, async (plan, arm, context) => {
      using attempt = faulty(plan);
      const { engine, before } = attempt;
      arm();
      const failed = await failure(() => engine.start());
      plan.disarm();
      expect(dumpTree(engine.root), `at ${context}`).toEqual(before);
      await expectSound(engine, context);
      if (failed !== undefined) {
        using store = engine.store();
        expect(store.ids(), `at ${context}`).toEqual([]);
        await removeSessions(store, findOrphans(store, Date.now() + 7_200_000));
        expect(store.names(), `at ${context}`).toEqual([]);
      }
      const id = await engine.run(() => edit(engine.root));
      await engine.restore(id);
      expect(dumpTree(engine.root), `at ${context}`).toEqual(before);
    });
  });

  test('of a checkpoint leaves the session as it was; it goes on', async () => {
    await each('checkpoint', errno, isLasting, async (plan, arm, context) => {
      using attempt = faulty(plan);
      const { engine, before } = attempt;
      const run = await engine.start();
      edit(engine.root);
      const left = dumpTree(engine.root);
      const order = { id: run.id, label: 'checkpoint', limits: DEFAULT_LIMITS, isOnlyIfChanged: false };
      using store = engine.store();
      const failed = await failure(() =>
        run.checkpoint(async () => {
          arm();
          try {
            await takeCheckpoint(engine.deps, store, order, () => true);
          } finally {
            plan.disarm();
          }
        }),
      );
      expect(dumpTree(engine.root), `at ${context}`).toEqual(left);
      await expectSound(engine, context);
      fs.writeFileSync(join(engine.root, 'later'), 'l');
      await run.finish(OK);
      await expectSound(engine, context);
      // One that failed after it was listed counts as taken.
      if (failed === undefined) expect(await engine.look(run.id, ({ manifest }) => manifest.snapshots.length)).toBe(3);
      await engine.restore(run.id);
      expect(dumpTree(engine.root), `at ${context}`).toEqual(before);
    });
  });

  test('of a final snapshot leaves a session that can be completed and restored', async () => {
    await each('final', errno, isLasting, async (plan, arm, context) => {
      using attempt = faulty(plan);
      const { engine, before } = attempt;
      const run = await engine.start();
      edit(engine.root);
      const left = dumpTree(engine.root);
      arm();
      await failure(() => run.finish(OK));
      plan.disarm();
      expect(dumpTree(engine.root), `at ${context}`).toEqual(left);
      await expectSound(engine, context);
      await engine.restore(run.id);
      expect(dumpTree(engine.root), `at ${context}`).toEqual(before);
      await expectSound(engine, context);
    });
  });

  test.for([{ isAbort: false }, { isAbort: true }])(
    'of a restore leaves one that the next completes (after --abort: $isAbort)',
    async ({ isAbort }) => {
      await each('restore', errno, isLasting, async (plan, arm, context) => {
        using attempt = faulty(plan);
        const { engine, before } = attempt;
        const id = await engine.run(() => edit(engine.root));
        arm();
        await failure(() => engine.restore(id));
        plan.disarm();
        await expectSound(engine, context);
        await restoreAgain(engine, id, isAbort);
        expect(dumpTree(engine.root), `at ${context}`).toEqual(before);
        await expectSound(engine, context);
      });
    },
  );

  test('of a clean-up leaves whole sessions, and the next one ends it', async () => {
    await each('cleanup', errno, isLasting, async (plan, arm, context) => {
      using attempt = faulty(plan);
      const { engine } = attempt;
      const ids = [];
      for (const text of ['1', '2', '3']) ids.push(await engine.run(() => fs.writeFileSync(join(engine.root, 'a'), text)));
      const chosen = ids.slice(0, 2).map(bytesFromText);
      using store = engine.store();
      const left = dumpTree(engine.root);
      arm();
      await failure(() => removeSessions(store, chosen));
      plan.disarm();
      await expectSound(engine, context);
      await removeSessions(store, [...chosen, ...findOrphans(store, Date.now())]);
      expect(store.names(), `at ${context}`).toEqual([ids[2]]);
      await expectSound(engine, context);
      expect(dumpTree(engine.root), `at ${context}`).toEqual(left);
    });
  });
});
