import type { Bytes } from '../bytes.ts';
import { EXIT, isErrno, NonoError, StateError, SystemError } from '../errors.ts';
import { type Baseline, EarlierGone, type RollbackStart, takeBaseline } from './baseline.ts';
import { CANNOT_STORE } from './cannot-store.ts';
import type { CaptureLimits } from './capture-input.ts';
import { DEFAULT_LIMITS } from './default-limits.ts';
import type { SkipReason } from './entry.ts';
import { takeFinal } from './final.ts';
import type { ChangeCounts, Manifest, SnapshotRecord } from './manifest.ts';
import { openRollbacks } from './open-rollbacks.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { type NewSession } from './session-directory.ts';
import { makeRollbackId } from './session-id.ts';
import { type SnapshotProgress } from './snapshot.ts';
import { RollbackStore } from './store.ts';

/** How the command ended. */
export interface RunEnd {
  readonly exitCode: number;
  readonly signal: string | undefined;
}

/** A session whose baseline is listed, and durable unless the disk took too long. */
export interface RollbackRun {
  readonly id: Bytes;
  readonly roots: readonly Bytes[];
  /** What the baseline does not hold, by reason. */
  readonly skipped: ReadonlyMap<SkipReason, number>;
  /** Settles when the baseline is on the disk; undefined when it was before the command could start. Rejects when it never will be. */
  readonly becomesDurable: Promise<void> | undefined;
  /** False when somebody has removed the session: known when the final snapshot has failed. */
  readonly isListed: boolean;
  /** Says that the supervisor is alive; call it every ten seconds. */
  beat(): void;
  /**
   * Waits for its turn, lets `take` take one (see takeCheckpoint()), and takes note of it.
   *
   * @returns undefined when none was taken. @throws {StateError} when the command ended before its turn came.
   */
  checkpoint(take: () => Promise<void>): Promise<SnapshotRecord | undefined>;
  /** Takes the final snapshot, after the checkpoint that is being taken. */
  finish(end: RunEnd, onProgress?: (progress: SnapshotProgress) => void): Promise<ChangeCounts>;
  /** The command was never started: nothing of the session stays. */
  abandon(): Promise<void>;
}

/**
 * Takes the baseline and lists the session, all of it durable when this resolves.
 *
 * @throws {NonoError} with exit status 125 when it cannot be stored; nothing of it stays then.
 */
export async function startRollback(deps: RollbackDeps, start: RollbackStart): Promise<RollbackRun> {
  try {
    return await startOnce(deps, start, false);
  } catch (error) {
    if (!(error instanceof EarlierGone)) throw error;
    return await startOnce(deps, start, true);
  }
}

async function startOnce(deps: RollbackDeps, start: RollbackStart, isAlone: boolean): Promise<RollbackRun> {
  const rollbacks = openRollbacks(start.stateDirectory);
  const store = new RollbackStore(rollbacks, deps.hash);
  const startedMs = deps.clock.nowMs();
  const offset = deps.clock.utcOffsetMinutes(startedMs);
  let session: NewSession | undefined;
  try {
    session = store.create((attempt) => makeRollbackId(startedMs + attempt * 1000, offset, start.supervisorPid));
    const baseline = await takeBaseline(deps, store, session, { ...start, startedMs, isAlone });
    return new LiveRun(deps, store, session, baseline, start.limits ?? DEFAULT_LIMITS);
  } catch (error) {
    if (session !== undefined) await discard(store, session);
    store[Symbol.dispose]();
    throw baselineFailure(error);
  }
}

/** A thread that was told to end completes the call that it is in: it may write while what it wrote is removed. */
const REMOVAL_ATTEMPTS = 50;
const REMOVAL_PAUSE_MS = 20;

/** What the disk does not even let go is an orphan, which the next clean-up removes. */
async function discard(store: RollbackStore, session: NewSession): Promise<void> {
  try {
    await store.remove(session.id);
    for (let attempt = 0; (await store.finishRemovals(session.id)) && attempt < REMOVAL_ATTEMPTS; attempt++)
      await new Promise((resolve) => setTimeout(resolve, REMOVAL_PAUSE_MS));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  } finally {
    session[Symbol.dispose]();
  }
}

function baselineFailure(error: unknown): unknown {
  if (isErrno(error, ...CANNOT_STORE)) {
    return new NonoError('E_BASELINE', EXIT.nonoFailed, 'Cannot store the baseline', {
      cause: error,
      hint: 'Free space with `nono rollback cleanup`, or run without --rollback',
    });
  }
  return error;
}

class LiveRun implements RollbackRun {
  readonly #deps: RollbackDeps;
  readonly #store: RollbackStore;
  readonly #session: NewSession;
  #manifest: Manifest;
  /** The checkpoint that was asked for last, and with it all others; never rejects. */
  #checkpoints: Promise<unknown> = Promise.resolve();
  #isEnding = false;
  readonly skipped: ReadonlyMap<SkipReason, number>;
  readonly #limits: CaptureLimits;
  #hasEnded = false;
  isListed = true;
  readonly becomesDurable: Promise<void> | undefined;

  constructor(deps: RollbackDeps, store: RollbackStore, session: NewSession, baseline: Baseline, limits: CaptureLimits) {
    this.#deps = deps;
    this.#store = store;
    this.#session = session;
    this.#manifest = baseline.manifest;
    this.skipped = baseline.skipped;
    this.#limits = limits;
    this.becomesDurable = baseline.synced === undefined ? undefined : this.#becomeDurable(baseline.synced);
    // Whoever wants to know asks.
    this.becomesDurable?.catch(() => undefined);
  }

  get id(): Bytes {
    return this.#session.id;
  }

  get roots(): readonly Bytes[] {
    return this.#manifest.roots.map(({ path }) => path);
  }

  beat(): void {
    // The session still ends when its snapshots have: old ones may be removed meanwhile.
    if (this.#hasEnded) return;
    const nowMs = this.#deps.clock.nowMs();
    this.#session.lock.setModificationTime(Math.floor(nowMs / 1000), (nowMs % 1000) * 1_000_000);
  }

  checkpoint(take: () => Promise<void>): Promise<SnapshotRecord | undefined> {
    const taken = this.#checkpoints.then(() => this.#takeTurn(take));
    this.#checkpoints = taken.catch(() => undefined);
    return taken;
  }

  /** Between checkpoints, which replace the manifest too, and not after the final snapshot, which makes all durable itself. */
  async #becomeDurable(synced: Promise<void>): Promise<void> {
    await synced;
    const written = this.#checkpoints.then(() => this.#noteDurable());
    this.#checkpoints = written.catch(() => undefined);
    await written;
  }

  #noteDurable(): void {
    if (this.#isEnding) return;
    this.#manifest = { ...this.#manifest, durable: true };
    // Without waiting: after a loss of power the one before is there, which only says less.
    this.#session.writeManifest(this.#manifest, { isSynced: false });
  }

  async #takeTurn(take: () => Promise<void>): Promise<SnapshotRecord | undefined> {
    if (this.#isEnding) throw new StateError(`Cannot take a checkpoint of "${this.id}": the command has just ended`);
    const before = this.#manifest.snapshots.length;
    try {
      await take();
    } finally {
      // Also after a failure: it may have come when the checkpoint was there already.
      this.#manifest = this.#session.readManifest();
    }
    return this.#manifest.snapshots.length > before ? this.#manifest.snapshots.at(-1) : undefined;
  }

  async finish(end: RunEnd, onProgress?: (progress: SnapshotProgress) => void): Promise<ChangeCounts> {
    this.#isEnding = true;
    await this.#checkpoints;
    try {
      const { manifest } = await takeFinal(this.#deps, this.#session, this.#manifest, this.#limits, {
        status: 'complete',
        endedMs: this.#deps.clock.nowMs(),
        exitCode: end.exitCode,
        signal: end.signal,
        onProgress,
      });
      return manifest.counts as ChangeCounts;
    } catch (error) {
      this.isListed = this.#session.isListed();
      throw error;
    } finally {
      this.#end();
    }
  }

  async abandon(): Promise<void> {
    try {
      await this.#store.remove(this.#session.id);
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#hasEnded = true;
    this.#session[Symbol.dispose]();
    this.#store[Symbol.dispose]();
  }
}
