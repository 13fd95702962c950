import { applyRestore } from './apply.ts';
import { type ApplyResult } from './apply-input.ts';
import { type RestoreRequest, rootPaths, temporaryPrefix } from './restore-parts.ts';
import type { RestoreAction } from './restore-plan.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { RootDirectories } from './root-directories.ts';

/**
 * Carries out a plan without a session that would undo it, where there is no room for one. Each action is still complete or not
 * begun; one that is interrupted goes on when it is planned anew.
 */
export async function restoreUnsafely(
  deps: RollbackDeps,
  { session, state, snapshot }: RestoreRequest,
  actions: readonly RestoreAction[],
): Promise<ApplyResult> {
  using roots = new RootDirectories(deps.files, rootPaths(state.manifest));
  using objects = session.openObjects();
  const targetTree = session.tree(state.manifest, snapshot);
  const before = new Map(actions.map(({ path, now }) => [path, now]));
  return await applyRestore({
    roots,
    actions,
    touched: actions,
    targetTree,
    before: (path) => before.get(path),
    objects,
    hash: deps.hash,
    temporaryPrefix: temporaryPrefix(session.id),
  });
}
