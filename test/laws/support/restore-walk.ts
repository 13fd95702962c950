import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { abortRestore, findUnfinished, resumeRestore } from '../../../src/rollback/interrupted.ts';
import { prepareRestore } from '../../../src/rollback/prepare-restore.ts';
import { carryOutRestore } from '../../../src/rollback/restore.ts';
import { RESTORES, type RestoreEvent, type RestoreState, restoreState } from '../../../src/rollback/restore-states.ts';
import { Engine } from './engine.ts';
import { FaultPlan, makeFaulty } from './faulty-files.ts';

/** What the baseline has, and what the session made of it; undefined where there is no file. */
const FILES: Readonly<Record<string, readonly [base: string | undefined, left: string | undefined]>> = {
  changed: ['base', 'left'],
  made: [undefined, 'left'],
  gone: ['base', undefined],
  same: ['same', 'same'],
};
type Contents = Record<string, string | undefined>;

/** `failsAt` counts the calls of the file system; what is killed there does no more. */
export type RestoreStep =
  | { readonly kind: 'restore'; readonly failsAt: number }
  | { readonly kind: RestoreEvent; readonly failsAt: number; readonly which: number }
  | { readonly kind: 'edit'; readonly file: string; readonly isRemoved: boolean };

const failsAt = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 120 }));
export const restoreStep: fc.Arbitrary<RestoreStep> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restore' as const), failsAt }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('resume', 'abort'), failsAt, which: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('edit' as const),
      file: fc.constantFrom(...Object.keys(FILES)),
      isRemoved: fc.boolean(),
    }),
  },
);

function same(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

function fail(error: Error): never {
  throw error;
}

/** A session, restores of it that are killed, completed and taken back in any order, and somebody who works on the files meanwhile. */
export class RestoreWalk implements Disposable {
  readonly #plan = new FaultPlan();
  readonly #engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(files, this.#plan) }));
  /** Restores that were listed, with the state that they must be in. */
  readonly #restores = new Map<Bytes, RestoreState>();
  #id = '';
  #edits = 0;

  async start(): Promise<void> {
    this.#write(0);
    this.#id = await this.#engine.run(() => this.#write(1));
  }

  #write(at: 0 | 1): void {
    for (const [name, contents] of Object.entries(FILES)) this.#set(name, contents[at]);
  }

  #set(name: string, content: string | undefined): void {
    const path = join(this.#engine.root, name);
    if (content === undefined) fs.rmSync(path, { force: true });
    // What stays as it was keeps its time too.
    else if (this.#contents()[name] !== content) fs.writeFileSync(path, content);
  }

  #contents(): Contents {
    const names = fs.readdirSync(this.#engine.root).filter((name) => !name.startsWith('.nono'));
    return Object.fromEntries(names.map((name) => [name, fs.readFileSync(join(this.#engine.root, name), 'utf8')]));
  }

  async take(step: RestoreStep): Promise<void> {
    if (step.kind === 'edit') {
      this.#edits += 1;
      this.#set(step.file, step.isRemoved ? undefined : `mine ${this.#edits}`);
      return;
    }
    const before = this.#contents();
    const outcome = step.kind === 'restore' ? await this.#restore(step.failsAt) : await this.#end(step);
    this.#expectOnlyChanged(before, step.kind, outcome);
    this.#expectStates();
  }

  /** The next command completes what was interrupted, and then restores. */
  async #restore(failsAt: number): Promise<'done' | 'failed'> {
    if ([...this.#restores.values()].includes('begun')) return await this.#end({ kind: 'resume', failsAt, which: -1 });
    const known = new Set(this.#listed().keys());
    const isDone = await this.#failing(failsAt, () =>
      this.#engine.look(this.#id, async (session, state) => {
        const request = { session, state, snapshot: 0, paths: [] };
        const { actions } = prepareRestore(this.#engine.deps, request);
        using store = this.#engine.store();
        if (actions.length > 0) await carryOutRestore(this.#engine.deps, store, request, actions, process.pid);
      }),
    );
    for (const [id, state] of this.#listed()) if (!known.has(id)) this.#restores.set(id, isDone ? 'complete' : state);
    return isDone ? 'done' : 'failed';
  }

  /** @param which Of the restores, also of those that are over; -1 for the one that is not. */
  async #end(step: Omit<Extract<RestoreStep, { which: number }>, 'kind'> & { kind: RestoreEvent }): Promise<'done' | 'failed'> {
    const ids = [...this.#restores.keys()];
    const id = step.which < 0 ? ids.find((one) => this.#restores.get(one) === 'begun') : ids[step.which];
    if (id === undefined) return 'done';
    const next = RESTORES[this.#restores.get(id) ?? 'removed'][step.kind];
    let answer: unknown;
    const isDone = await this.#failing(step.failsAt, async () => {
      using store = this.#engine.store();
      answer = await (step.kind === 'resume' ? resumeRestore : abortRestore)(this.#engine.deps, store, id);
    });
    if (isDone) same(answer === 'over', next === undefined);
    if (isDone && next !== undefined) this.#restores.set(id, next);
    // It may have been ended before the call that failed.
    else if (next !== undefined) this.#restores.set(id, this.#listed().get(id) ?? 'removed');
    return isDone ? 'done' : 'failed';
  }

  async #failing(at: number, work: () => Promise<unknown>): Promise<boolean> {
    this.#plan.arm(at, 'EIO');
    try {
      await work();
      return true;
    } catch (error) {
      if (this.#plan.failed === undefined) throw error;
      return false;
    } finally {
      this.#plan.disarm();
    }
  }

  #listed(): Map<Bytes, RestoreState> {
    using store = this.#engine.store();
    const manifests = store.manifests(({ error }) => fail(error));
    return new Map(manifests.filter(({ kind }) => kind === 'restore').map((manifest) => [manifest.id, restoreState(manifest)]));
  }

  /** A file is as it was, as the baseline has it, or as the session left it: nobody's work is lost, nothing else appears. */
  #expectOnlyChanged(before: Contents, kind: RestoreStep['kind'], outcome: 'done' | 'failed'): void {
    const now = this.#contents();
    for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
      const [base, left] = FILES[name] ?? [];
      const isRemoved = before[name] === undefined && base !== undefined && left !== undefined;
      const isMine = isRemoved || before[name]?.startsWith('mine') === true;
      const allowed = isMine || kind === 'edit' ? [before[name]] : [before[name], base, left];
      same(
        { name, kind, outcome, allowed, isAllowed: allowed.includes(now[name]) },
        { name, kind, outcome, allowed, isAllowed: true },
      );
    }
  }

  #expectStates(): void {
    const expected = [...this.#restores].filter(([, state]) => state !== 'removed');
    same(this.#listed(), new Map(expected));
    using store = this.#engine.store();
    const unfinished = findUnfinished(
      store.manifests(() => undefined),
      bytesFromText(this.#id),
    );
    same(
      unfinished,
      expected.filter(([, state]) => state === 'begun').map(([id]) => id),
    );
    same(unfinished.length < 2, true);
  }

  /** However it went, the next restore brings everything back that nobody else has changed, and leaves nothing of its own. */
  async finish(): Promise<void> {
    await this.take({ kind: 'resume', failsAt: Number.POSITIVE_INFINITY, which: -1 });
    const before = this.#contents();
    await this.take({ kind: 'restore', failsAt: Number.POSITIVE_INFINITY });
    const now = this.#contents();
    for (const [name, [base, left]] of Object.entries(FILES)) same(now[name], before[name] === left ? base : before[name]);
    same(fs.readdirSync(this.#engine.root).toSorted(), Object.keys(now).toSorted());
    for (const id of this.#listed().keys()) same((await this.#engine.verify(id)).findings, []);
  }

  [Symbol.dispose](): void {
    this.#engine[Symbol.dispose]();
  }
}
