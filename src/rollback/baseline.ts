import type { Bytes } from '../bytes.ts';
import { NonoError } from '../errors.ts';
import { isWithin } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import type { CaptureLimits } from './capture-input.ts';
import { DEFAULT_LIMITS } from './default-limits.ts';
import { PATIENCE_MS, settlesWithin, syncDisk } from './durability.ts';
import type { SkipReason } from './entry.ts';
import { storeGit } from './git-store.ts';
import { addIgnoreFilesAbove, findWorkTreeTop, GitTracked } from './git-work-tree.ts';
import { isInItsPlace } from './in-place.ts';
import type { Manifest, TrackedRoot } from './manifest.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { DEFAULT_EXCLUSIONS, type Exclusions, Rules } from './rules.ts';
import { type NewSession, type RollbackSession } from './session-directory.ts';
import { recordSnapshot, type SnapshotProgress, takeNodes } from './snapshot.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import type { RollbackStore } from './store.ts';
import type { TakenRoot } from './take-input.ts';

/** A run that is about to begin. */
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

/** The session that contents were to be taken over from was removed meanwhile: a new session can be made without it. */
export class EarlierGone extends Error {}

/** How a session begins. */
export interface BaselineStart extends RollbackStart {
  readonly startedMs: number;
  /** Whether nothing is taken over from an earlier session. */
  readonly isAlone: boolean;
}

/** Takes snapshot 0 and lists the session. When it throws the caller removes what there is of it. @throws {EarlierGone} */
export async function takeBaseline(
  deps: RollbackDeps,
  store: RollbackStore,
  session: NewSession,
  start: BaselineStart,
): Promise<Baseline> {
  using earlier = start.isAlone ? undefined : findEarlier(store, mergeRoots(start.roots));
  try {
    return await takeFrom(deps, earlier, session, start);
  } catch (error) {
    if (earlier === undefined || isInItsPlace(deps.files, earlier.session.directory)) throw error;
    throw new EarlierGone('The earlier session was removed', { cause: error });
  }
}

async function takeFrom(
  deps: RollbackDeps,
  earlier: Earlier | undefined,
  session: NewSession,
  start: BaselineStart,
): Promise<Baseline> {
  const paths = mergeRoots(start.roots);
  using earlierObjects = earlier?.session.openObjects();
  using objects = session.openObjects();
  const roots = paths.map((path) => startRoot(deps, path, start.exclusions ?? DEFAULT_EXCLUSIONS));
  using nodes = await takeNodes(deps, {
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

/** Snapshot 0, which is listed. */
export interface Baseline {
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
    const { kind, roots: tracked, snapshots, durable, status } = session.manifest;
    const isOfSameRoot = kind === 'run' && roots.some((path) => tracked.some((root) => root.path === path));
    const isLive = isOfSameRoot && session.isLive();
    // What a command that still runs, or ran on until it was lost, has mapped into its memory may have changed since a checkpoint without another time.
    const last = status === 'open' ? snapshots[0] : snapshots.at(-1);
    // After a loss of power contents may be there by their names alone.
    if (isOfSameRoot && (durable || isLive) && last !== undefined) {
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

/** Roots that lie in another root are covered by it. */
export function mergeRoots(roots: readonly Bytes[]): Bytes[] {
  const unique = [...new Set(roots)].sort();
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}
