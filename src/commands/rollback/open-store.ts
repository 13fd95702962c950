import { type Bytes, displayBytes } from '../../bytes.ts';
import { NotFoundError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import type { RollbackDeps } from '../../rollback/snapshot.ts';
import { findSession, type RollbackSession, RollbackStore, type UnreadableSession } from '../../rollback/store.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';

/** The store with the manifests that can be read, newest first. */
export interface OpenStore {
  readonly store: RollbackStore | undefined;
  readonly manifests: readonly Manifest[];
  readonly unreadable: readonly UnreadableSession[];
}

/** Opens the store under the checks of the state directory; damaged sessions are named on stderr and passed over. */
export function openStore(context: Context): OpenStore {
  const { files, stateDirectory, uid, hash, notify } = context;
  const unreadable: UnreadableSession[] = [];
  using state = openStateDirectory(files, stateDirectory, uid, { create: false });
  const path = joinPath(stateDirectory, 'rollbacks' as Bytes);
  const directory = state === undefined ? undefined : openStateDirectory(files, path, uid, { create: false });
  if (directory === undefined) return { store: undefined, manifests: [], unreadable };
  const store = new RollbackStore(directory, hash);
  const manifests = store.manifests((session) => {
    unreadable.push(session);
    notify(`Passed over session ${displayBytes(session.id)}: ${session.error.message}`);
  });
  return { store, manifests, unreadable };
}

export interface NamedSession {
  readonly store: RollbackStore;
  readonly session: RollbackSession;
  readonly manifests: readonly Manifest[];
}

/** Opens the session that `wanted` names. @throws {NotFoundError} among others. */
export function openNamedSession(context: Context, wanted: Bytes): NamedSession {
  const { store, manifests, unreadable } = openStore(context);
  const { id } = findSession(manifests, unreadable, wanted);
  if (store === undefined) throw new NotFoundError(`Cannot find rollback session "${displayBytes(wanted)}"`);
  return { store, session: store.open(id), manifests };
}

/** What the engine needs, out of a verb's context. */
export function rollbackDeps({ files, hash, clock, loadContentWorkers }: Context): RollbackDeps {
  return { files, hash, clock, loadContentWorkers };
}
