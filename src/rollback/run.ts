import type { Bytes } from '../bytes.ts';
import { EXIT, isErrno, NonoError, StateError, SystemError } from '../errors.ts';
import { isWithin } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import { CANNOT_STORE } from './cannot-store.ts';
import type { CaptureLimits } from './capture.ts';
import { DEFAULT_LIMITS } from './default-limits.ts';
import { PATIENCE_MS, settlesWithin, syncDisk } from './durability.ts';
import type { SkipReason } from './entry.ts';
import { takeFinal } from './final.ts';
import { storeGit } from './git-store.ts';
import { addIgnoreFilesAbove, findWorkTreeTop, GitTracked } from './git-work-tree.ts';
import type { ChangeCounts, Manifest, SnapshotRecord, TrackedRoot } from './manifest.ts';
import { openRollbacks } from './open-rollbacks.ts';
import { DEFAULT_EXCLUSIONS, type Exclusions, Rules } from './rules.ts';
import { makeRollbackId } from './session-id.ts';
import { type RollbackDeps, recordSnapshot, type SnapshotProgress, type TakenRoot, takeNodes } from './snapshot.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import { type NewSession, type RollbackSession, RollbackStore } from './store.ts';

export interface RollbackStart {
  /** The open state directory, checked by the caller. */
  readonly stateDirectory: Directory;
  /** Directories and files to track: absolute, links resolved, existing. */
  readonly roots: readonly Bytes[];
  readonly command: readonly Bytes[];
  /** The session of six hex digits. */
  readonly runId: string;
  readonly supervisorPid: number;
  readonly profile: string;
  readonly workingDirectory: Bytes;
  /** From the profile and the command line. */
  readonly exclusions?: Exclusions;
  readonly limits?: CaptureLimits;
  /** False when nobody is to be asked to review the session at its end. */
  readonly prompts?: boolean;
  /** How long to wait for the disk before the command may start; Infinity for as long as it takes. */
  readonly patienceMs?: number;
  readonly onProgress?: (progress: SnapshotProgress) => void;
}

/** How the command ended. */
export interface CommandEnd {
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
  /** Says that the supervisor is alive; call it every ten seconds. */
  beat(): void;
  /**
   * Waits for its turn, lets `take` take one (see takeCheckpoint()), and takes note of it.
   *
   * @returns undefined when none was taken. @throws {StateError} when the command ended before its turn came.
   */
  checkpoint(take: () => Promise<void>): Promise<SnapshotRecord | undefined>;
  /** Takes the final snapshot, after the checkpoint that is being taken. */
  finish(end: CommandEnd, onProgress?: (progress: SnapshotProgress) => void): Promise<ChangeCounts>;
  /** The command was never started: nothing of the session stays. */
  abandon(): void;
}

/** Roots that lie in another root are covered by it. */
export function mergeRoots(roots: readonly Bytes[]): Bytes[] {
  const unique = [...new Set(roots)].sort();
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}

/**
 * Takes the baseline and lists the session, all of it durable when this resolves.
 *
 * @throws {NonoError} with exit status 125 when it cannot be stored; nothing of it stays then.
 */
export async function startRollback(deps: RollbackDeps, start: RollbackStart): Promise<RollbackRun> {
  const rollbacks = openRollbacks(start.stateDirectory);
  const store = new RollbackStore(rollbacks, deps.hash);
  const startedMs = deps.clock.nowMs();
  const offset = deps.clock.utcOffsetMinutes(startedMs);
  let session: NewSession | undefined;
  try {
    session = store.create((attempt) => makeRollbackId(startedMs + attempt * 1000, offset, start.supervisorPid));
    const baseline = await takeBaseline(deps, store, session, { ...start, startedMs });
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
    store.remove(session.id);
    for (let attempt = 0; store.finishRemovals(session.id) && attempt < REMOVAL_ATTEMPTS; attempt++)
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

async function takeBaseline(
  deps: RollbackDeps,
  store: RollbackStore,
  session: NewSession,
  start: RollbackStart & { readonly startedMs: number },
): Promise<Baseline> {
  const paths = mergeRoots(start.roots);
  using earlier = findEarlier(store, paths);
  using earlierObjects = earlier?.session.openObjects();
  using objects = session.openObjects();
  const roots = paths.map((path) => startRoot(deps, path, start.exclusions ?? DEFAULT_EXCLUSIONS));
  const nodes = await takeNodes(deps, {
    roots,
    number: 0,
    previous: earlier?.tree,
    earlierObjects,
    objects,
    limits: start.limits ?? DEFAULT_LIMITS,
    expected: earlier?.entryCount,
    onProgress: (entries) => start.onProgress?.({ phase: 'reading', entries, expected: earlier?.entryCount }),
  });
  const tops = nodes.roots.flatMap((root) => root.tops);
  const git = storeGit(deps, objects, tops);
  const storedBytes = nodes.storedBytes + git.storedBytes;
  const manifest: Manifest = {
    id: session.id,
    kind: 'run',
    status: 'open',
    runId: start.runId,
    restores: undefined,
    command: start.command,
    workingDirectory: start.workingDirectory,
    profile: start.profile,
    startedMs: start.startedMs,
    endedMs: undefined,
    exitCode: undefined,
    signal: undefined,
    durable: true,
    heartbeatMs: undefined,
    roots: roots.map(({ path }, index): TrackedRoot => ({ path, rules: (nodes.roots[index] as TakenRoot).rules })),
    snapshots: [recordSnapshot(deps, session, { number: 0, nodes: { ...nodes, storedBytes }, label: 'baseline' })],
    counts: undefined,
    prompts: start.prompts ?? true,
    git: { before: git.hash, after: undefined },
  };
  const skipped = nodes.totals.skipped;
  start.onProgress?.({ phase: 'syncing' });
  const synced = syncDisk(deps, session.directory);
  // Everything that the manifest names is on the disk before the manifest is, or the manifest says that it is not.
  if (await settlesWithin(synced, start.patienceMs ?? PATIENCE_MS)) {
    session.writeManifest(manifest);
    return { manifest, skipped, synced: undefined };
  }
  const early = { ...manifest, durable: false };
  session.writeManifest(early, { isSynced: false });
  return { manifest: early, skipped, synced };
}

function startRoot({ files }: RollbackDeps, path: Bytes, exclusions: NonNullable<RollbackStart['exclusions']>) {
  const rules = Rules.start(exclusions);
  const top = findWorkTreeTop(files, path);
  addIgnoreFilesAbove(files, path, top, rules);
  return { path, rules, collect: new GitTracked(files, path, top) };
}

interface Baseline {
  readonly manifest: Manifest;
  readonly skipped: ReadonlyMap<SkipReason, number>;
  /** What is still going on; undefined when all of it is on the disk. */
  readonly synced: Promise<void> | undefined;
}

/** The newest run that tracks the same roots: what is unchanged since then is not read again. */
function findEarlier(store: RollbackStore, roots: readonly Bytes[]): Earlier | undefined {
  for (const id of store.ids()) {
    let session: RollbackSession;
    try {
      session = store.open(id);
    } catch (error) {
      if (error instanceof NonoError) continue;
      throw error;
    }
    const { kind, roots: tracked, snapshots } = session.manifest;
    const last = snapshots.at(-1);
    if (last !== undefined && kind === 'run' && roots.some((path) => tracked.some((root) => root.path === path))) {
      const tree = session.tree(session.manifest, last.number);
      return { session, tree, entryCount: last.entryCount, [Symbol.dispose]: () => session[Symbol.dispose]() };
    }
    session[Symbol.dispose]();
  }
  return undefined;
}

interface Earlier extends Disposable {
  readonly session: RollbackSession;
  /** Not read yet: it may be damaged. */
  readonly tree: SnapshotTree;
  /** Of that tree. */
  readonly entryCount: number | undefined;
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

  async finish(end: CommandEnd, onProgress?: (progress: SnapshotProgress) => void): Promise<ChangeCounts> {
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
    } finally {
      this.#end();
    }
  }

  abandon(): void {
    this.#store.remove(this.#session.id);
    this.#end();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#session[Symbol.dispose]();
    this.#store[Symbol.dispose]();
  }
}
