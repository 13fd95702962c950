import { type Bytes, displayBytes } from '../../bytes.ts';
import { UsageError } from '../../errors.ts';
import { isWithin, joinPath } from '../../paths.ts';
import { type Change, compareTrees } from '../../rollback/compare.ts';
import type { ContentSource } from '../../rollback/content-access.ts';
import { readWholeContent } from '../../rollback/content-access.ts';
import { type DeltaSources, type FileDelta, fileDeltas, patchNames } from '../../rollback/file-delta.ts';
import type { GitChange } from '../../rollback/git-changes.ts';
import { gitChanges } from '../../rollback/git-store.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import { type PresentState, presentState } from '../../rollback/present.ts';
import { rootPaths } from '../../rollback/restore-parts.ts';
import { narrowChanges } from '../../rollback/restore-plan.ts';
import type { RollbackSession } from '../../rollback/session-directory.ts';
import { findTraps, type Trap } from '../../rollback/traps.ts';
import type { Context } from '../context.ts';
import { type NamedSession, rollbackDeps } from './open-store.ts';
import { selectPaths } from './select-paths.ts';

/** A larger package.json is not read. */
const MANIFEST_BYTES_MAXIMUM = 4 * 1024 * 1024;

/** Two states of a session: snapshot numbers; `to` is undefined for the newest state, which may have none yet. */
export interface SnapshotRange {
  readonly from: number;
  readonly to: number | undefined;
}

/** What there is to be seen of a session, between two of its states and below some paths. */
export interface SessionView extends Disposable {
  readonly session: RollbackSession;
  readonly state: PresentState;
  readonly manifest: Manifest;
  readonly roots: readonly Bytes[];
  readonly range: SnapshotRange;
  readonly changes: readonly Change[];
  readonly deltas: readonly FileDelta[];
  /** The name of a change in a patch. */
  readonly nameOf: (change: Change) => Bytes;
  readonly sources: DeltaSources;
  readonly traps: readonly Trap[];
  /** Neither paths nor snapshots were named. */
  readonly isWhole: boolean;
  /** What moved in `.git`; only for all of the session. */
  readonly git: readonly GitChange[];
}

export interface ViewWish {
  /** As given to --snapshot. */
  readonly range?: Bytes | undefined;
  /** As given. */
  readonly paths?: readonly Bytes[];
  /** For messages. */
  readonly verb: string;
}

/** Compares two states of a session. Contents are read when they are asked for. */
export async function viewSession(context: Context, { session }: NamedSession, wish: ViewWish): Promise<SessionView> {
  const state = await presentState(rollbackDeps(context), session);
  const { manifest } = state;
  const roots = rootPaths(manifest);
  const range = wish.range === undefined ? { from: 0, to: undefined } : parseRange(wish.range, manifest);
  const after = range.to === undefined ? state.tree : session.tree(manifest, range.to);
  const all = compareTrees(session.tree(manifest, range.from), after);
  const given = wish.paths ?? [];
  const changes = narrowChanges(all, selectPaths(context, given, { verb: wish.verb, manifest, changes: all }));
  const objects = session.openObjects();
  const stored: ContentSource = { objects, hash: context.hash };
  const isNow = state.isLive && range.to === undefined;
  const sources: DeltaSources = { roots, before: stored, after: isNow ? { files: context.files, roots } : stored };
  const deltas = fileDeltas(changes, sources);
  const isWhole = wish.range === undefined && given.length === 0;
  return {
    session,
    state,
    manifest,
    roots,
    range,
    changes,
    deltas,
    nameOf: patchNames(roots),
    sources,
    traps: trapsOf(changes, deltas),
    isWhole,
    git: isWhole ? untracked(gitChanges(session, manifest, context.hash), changes) : [],
    [Symbol.dispose]: () => objects[Symbol.dispose](),
  };
}

/** With `--rollback-all` a `.git` is tracked like anything else, and shown with the rest. */
function untracked(git: readonly GitChange[], changes: readonly Change[]): GitChange[] {
  return git.filter(({ top }) => {
    const directory = joinPath(top, '.git' as Bytes);
    return !changes.some(({ path }) => isWithin(path, directory));
  });
}

function trapsOf(changes: readonly Change[], deltas: readonly FileDelta[]): Trap[] {
  const byPath = new Map(deltas.map((delta) => [delta.path, delta]));
  return findTraps(changes, ({ path }, side) => {
    const content = byPath.get(path)?.[side]?.content;
    return content === undefined || content.sizeBytes > MANIFEST_BYTES_MAXIMUM ? undefined : readWholeContent(content);
  });
}

/** `A..B`, `A..` to the newest state, `..B` from the baseline, `N` for what N changed. @throws {UsageError} */
function parseRange(given: Bytes, { id, snapshots }: Manifest): SnapshotRange {
  const wrong = (reason: string) =>
    new UsageError(`Cannot use --snapshot "${displayBytes(given)}": ${reason}`, {
      hint: `"${id}" has the snapshots 0 to ${snapshots.length - 1}; write 0..1, 1.. or one of them`,
    });
  const found = /^(?:(\d*)\.\.(\d*)|(\d+))$/.exec(given);
  if (found === null || given === '..') throw wrong('expected A..B');
  const [, first = '', last = '', one] = found;
  const numberOf = (text: string) => {
    const number = Number(text);
    if (number >= snapshots.length) throw wrong(`there is no snapshot ${text}`);
    return number;
  };
  if (one !== undefined) {
    if (numberOf(one) === 0) throw wrong('the baseline changed nothing');
    return { from: numberOf(one) - 1, to: numberOf(one) };
  }
  const from = first === '' ? 0 : numberOf(first);
  const to = last === '' ? undefined : numberOf(last);
  if (to !== undefined && to < from) throw wrong(`${to} is before ${from}`);
  return { from, to };
}
