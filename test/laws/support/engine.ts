import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesFromText } from '../../../src/bytes.ts';
import { type RollbackStart } from '../../../src/rollback/baseline.ts';
import { takeCheckpoint } from '../../../src/rollback/checkpoint.ts';
import { DEFAULT_LIMITS } from '../../../src/rollback/default-limits.ts';
import { openRollbacks } from '../../../src/rollback/open-rollbacks.ts';
import { prepareRestore } from '../../../src/rollback/prepare-restore.ts';
import { type PresentState, presentState } from '../../../src/rollback/present.ts';
import { carryOutRestore } from '../../../src/rollback/restore.ts';
import type { RestorePlan } from '../../../src/rollback/restore-plan.ts';
import type { RollbackDeps } from '../../../src/rollback/rollback-deps.ts';
import { type RollbackRun, startRollback } from '../../../src/rollback/run.ts';
import { type RollbackSession } from '../../../src/rollback/session-directory.ts';
import { RollbackStore } from '../../../src/rollback/store.ts';
import { type VerifyResult, verifySession } from '../../../src/rollback/verify.ts';
import { createTestClock, loadAdapters } from '../../support/adapters.ts';
import { memoryDirectory } from '../../support/memory.ts';

const adapters = await loadAdapters();
const realDeps: RollbackDeps = { files: adapters.files, hash: adapters.hash, clock: createTestClock() };

/** The product's adapters in memory, Node's on the disk: so both kinds of file system are seen. */
const PLACE = 'Bun' in globalThis ? memoryDirectory() : tmpdir();

/** A tree, a state directory and the real engine between them. */
export class Engine {
  readonly directory = mkdtempSync(join(PLACE, 'nono-law-'));
  readonly root: string;
  readonly state = join(this.directory, 'state');

  readonly deps: RollbackDeps;

  /**
   * @param root Where the tracked tree is, relative to `directory`.
   * @param more What takes the place of the real adapters.
   */
  constructor(root = 'tree', more: (real: RollbackDeps) => Partial<RollbackDeps> = () => ({})) {
    this.deps = { ...realDeps, ...more(realDeps) };
    this.root = join(this.directory, root);
    mkdirSync(this.root, { recursive: true });
    mkdirSync(this.state, { mode: 0o700 });
  }

  async start(options: Partial<RollbackStart> = {}, more: Partial<RollbackDeps> = {}): Promise<RollbackRun> {
    using stateDirectory = this.deps.files.openDirectory(bytesFromText(this.state));
    return await startRollback(
      { ...this.deps, ...more },
      {
        stateDirectory,
        roots: [bytesFromText(this.root)],
        command: [bytesFromText('test')],
        runId: 'a3f7c2',
        supervisorPid: process.pid,
        profile: 'default',
        workingDirectory: bytesFromText(this.root),
        ...options,
      },
    );
  }

  /** Runs `edit` between a baseline and a final snapshot. @returns the session's id. */
  async run(edit: () => void, options: Partial<RollbackStart> = {}): Promise<string> {
    const run = await this.start(options);
    edit();
    await run.finish({ exitCode: 0, signal: undefined });
    return run.id;
  }

  /** Takes a checkpoint of a run as another process would. */
  async checkpoint(run: RollbackRun, isOnlyIfChanged = false): Promise<number | undefined> {
    using store = this.store();
    const order = { id: run.id, label: 'checkpoint', limits: DEFAULT_LIMITS, isOnlyIfChanged };
    const taken = await run.checkpoint(async () => void (await takeCheckpoint(this.deps, store, order, () => true)));
    return taken?.number;
  }

  store(): RollbackStore {
    using stateDirectory = this.deps.files.openDirectory(bytesFromText(this.state));
    return new RollbackStore(openRollbacks(stateDirectory), this.deps.hash);
  }

  async look<T>(id: string, use: (session: RollbackSession, state: PresentState) => T | Promise<T>): Promise<T> {
    using store = this.store();
    using session = store.open(bytesFromText(id));
    return await use(session, await presentState(this.deps, session));
  }

  plan(id: string, snapshot = 0): Promise<RestorePlan> {
    return this.look(id, (session, state) => prepareRestore(this.deps, { session, state, snapshot, paths: [] }));
  }

  /** @returns the id of the session that undoes the restore, undefined when there was nothing to do. */
  restore(id: string, snapshot = 0): Promise<string | undefined> {
    return this.look(id, async (session, state) => {
      const request = { session, state, snapshot, paths: [] };
      const { actions, conflicts } = prepareRestore(this.deps, request);
      if (conflicts.length > 0)
        throw new Error(`Conflicts: ${conflicts.map(({ action, reason }) => `${action.path} ${reason}`).join(', ')}`);
      if (actions.length === 0) return undefined;
      using store = this.store();
      const outcome = await carryOutRestore(this.deps, store, request, actions, process.pid);
      const kept = outcome.kept.filter(({ reason }) => reason.includes('meanwhile'));
      if (kept.length > 0) throw new Error(`Kept: ${kept.map(({ action, reason }) => `${action.path} ${reason}`).join(', ')}`);
      return outcome.safetyId;
    });
  }

  verify(id: string): Promise<VerifyResult> {
    const store = this.store();
    return verifySession(this.deps, store, bytesFromText(id)).finally(() => store[Symbol.dispose]());
  }

  [Symbol.dispose](): void {
    // An ordinary user must open what a script has closed.
    if (process.getuid?.() !== 0) spawnSync('chmod', ['-R', 'u+rwx', this.directory]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
