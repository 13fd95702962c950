import { type Bytes, bytesFromText, displayBytes } from '../../bytes.ts';
import { NotFoundError, StateError, UsageError } from '../../errors.ts';
import { isWithin, joinPath, tildePath } from '../../paths.ts';
import { findRollbackSession } from '../../rollback/find-session.ts';
import { type Manifest, newestFirst } from '../../rollback/manifest.ts';
import { ROLLBACKS } from '../../rollback/open-rollbacks.ts';
import { rootPaths } from '../../rollback/restore-parts.ts';
import type { RollbackDeps } from '../../rollback/rollback-deps.ts';
import { type RollbackSession } from '../../rollback/session-directory.ts';
import { isRollbackId } from '../../rollback/session-id.ts';
import { RollbackStore, type UnreadableSession } from '../../rollback/store.ts';
import { isSessionId } from '../../session/names.ts';
import { findSession, type Session } from '../../session/sessions.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';
import { openSession, openSessions } from '../session/open-sessions.ts';

/** Where sessions were kept before; read, never written. */
const OLDER = 'undo' as Bytes;

/** The store with the manifests that can be read, newest first. */
export interface OpenStore {
  readonly store: RollbackStore | undefined;
  readonly manifests: readonly Manifest[];
  readonly unreadable: readonly UnreadableSession[];
}

/** Opens the store under the checks of the state directory; damaged sessions are named on stderr and passed over. */
export function openStore(context: Context): OpenStore {
  const { files, stateDirectory, uid, hash } = context;
  const unreadable: UnreadableSession[] = [];
  using state = openStateDirectory(files, stateDirectory, uid, { create: false });
  const path = joinPath(stateDirectory, ROLLBACKS);
  const directory = state === undefined ? undefined : openStateDirectory(files, path, uid, { create: false });
  if (directory === undefined) return { store: undefined, manifests: [], unreadable };
  const store = new RollbackStore(directory, hash);
  return { store, manifests: readManifests(store, context, unreadable), unreadable };
}

/** The sessions of the older place, which nothing is written to: `store` is undefined when there is none. */
export function openOlderStore(context: Context): OpenStore & { readonly strangers: readonly Bytes[] } {
  const none = { store: undefined, manifests: [], unreadable: [], strangers: [] };
  const { files, stateDirectory, uid, hash, notify } = context;
  const path = joinPath(stateDirectory, OLDER);
  if (files.stat(path) === undefined) return none;
  try {
    const directory = openStateDirectory(files, path, uid, { create: false });
    if (directory === undefined) return none;
    const store = new RollbackStore(directory, hash);
    const unreadable: UnreadableSession[] = [];
    const manifests = readManifests(store, context, unreadable);
    const known = new Set(store.ids());
    return { store, manifests, unreadable, strangers: store.names().filter((name) => !known.has(name)) };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    notify(`Passed over the older sessions: ${error.message}`);
    return none;
  }
}

function readManifests(store: RollbackStore, { notify }: Context, unreadable: UnreadableSession[]): Manifest[] {
  return store.manifests((session) => {
    unreadable.push(session);
    notify(`Passed over session ${displayBytes(session.id)}: ${session.error.message}`);
  });
}

export interface NamedSession {
  /** Where a restore writes the session that undoes it. */
  readonly store: RollbackStore;
  /** Where the session itself is; the same, but for those of the older place. */
  readonly home: RollbackStore;
  readonly session: RollbackSession;
  /** Of `store`. */
  readonly manifests: readonly Manifest[];
}

/** Opens the session that `wanted` names. @throws {NotFoundError} among others. */
export async function openNamedSession(context: Context, wanted: Bytes): Promise<NamedSession> {
  const { store, manifests, unreadable } = openStore(context);
  const older = openOlderStore(context);
  const all = [...manifests, ...older.manifests].sort(newestFirst);
  const id = await findRollbackId(
    context,
    wanted,
    (one) => findRollbackSession(all, [...unreadable, ...older.unreadable], one).id,
  );
  const home = manifests.some((manifest) => manifest.id === id) ? store : older.store;
  if (home === undefined) throw new NotFoundError(`Cannot find rollback session "${displayBytes(wanted)}"`);
  const session = home.open(id);
  if (wanted === 'latest') sayWhereElse(context, session.manifest);
  return { store: store ?? createStore(context), home, session, manifests };
}

/** The latest is one for all directories: whoever means the latest here is told where it ran. */
function sayWhereElse({ workingDirectory, homeDirectory, notify }: Context, manifest: Manifest): void {
  const roots = rootPaths(manifest);
  if (workingDirectory === undefined) return;
  if (roots.some((root) => isWithin(workingDirectory, root) || isWithin(root, workingDirectory))) return;
  notify(`The latest is ${manifest.id}, of ${roots.map((root) => displayBytes(tildePath(root, homeDirectory))).join(', ')}`);
}

/**
 * By what rollback sessions are known by, `find`, or by what the session that made it is known by. A name may be the beginning of another session's id (`b`,
 * `feed`, `2026`): which is meant has to be said then, but where the session that has the name lives, which has it for itself.
 *
 * @throws {UsageError} where it fits several, {NotFoundError} among others.
 */
export async function findRollbackId(context: Context, wanted: Bytes, find: (wanted: Bytes) => Bytes): Promise<Bytes> {
  if (wanted === 'latest') return find(wanted);
  const named = isSessionId(wanted) || isRollbackId(wanted) ? undefined : await openNamed(context, wanted);
  const found = named?.isLive === true ? undefined : findOrMissing(find, wanted);
  if (typeof found === 'string') {
    if (named === undefined || found === named.record.rollback_session) return found;
    throw ambiguous(wanted, named.record.session_id, found);
  }
  const { session_id: id, rollback_session: rollback } = (named ?? (await openOr(context, wanted, found))).record;
  if (rollback !== null) return find(bytesFromText(rollback));
  throw new NotFoundError(`Cannot find a rollback session of session ${id}: it ran without --rollback`, {
    hint: 'List what can be undone with `nono rollback list`',
  });
}

/** @returns undefined when no session has that name. @throws {UsageError} when several have, or it is the beginning of another's id. */
async function openNamed(context: Context, wanted: Bytes): Promise<Session | undefined> {
  const list = await openSessions(context, { isQuiet: true });
  return list.sessions.some(({ record }) => record.name === wanted) ? findSession(list, wanted) : undefined;
}

function findOrMissing(find: (wanted: Bytes) => Bytes, wanted: Bytes): Bytes | NotFoundError {
  try {
    return find(wanted);
  } catch (error) {
    if (error instanceof NotFoundError) return error;
    throw error;
  }
}

function ambiguous(wanted: Bytes, namedId: string, other: Bytes): UsageError {
  const [shown, id] = [displayBytes(wanted), displayBytes(other)];
  return new UsageError(`Cannot tell which session "${shown}" is: ${namedId} has that name, and an id of ${id} begins with it`, {
    hint: `Write ${namedId}, or ${id}`,
  });
}

/** @throws {NotFoundError} The one given, when there is no such session either. */
async function openOr(context: Context, wanted: Bytes, otherwise: NotFoundError | undefined): Promise<Session> {
  try {
    return await openSession(context, wanted);
  } catch (error) {
    if (error instanceof NotFoundError) throw otherwise ?? error;
    throw error;
  }
}

function createStore({ files, stateDirectory, uid, hash }: Context): RollbackStore {
  const directory = openStateDirectory(files, joinPath(stateDirectory, ROLLBACKS), uid, { create: true });
  if (directory === undefined) throw new TypeError('Expected a state directory that is created to be there');
  return new RollbackStore(directory, hash);
}

/** What the engine needs, out of a verb's context. */
export function rollbackDeps(context: Context): RollbackDeps {
  const { files, hash, clock, loadContentWorkers, loadTakeElsewhere, loadDiskSync } = context;
  return { files, hash, clock, loadContentWorkers, loadTakeElsewhere, loadDiskSync };
}
