import type { Bytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import { GitTracked } from './git-work-tree.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { takeNodes } from './snapshot.ts';
import type { PlaceOfTree } from './snapshot-tree.ts';
import { RollbackStore } from './store.ts';
import type { TakeInput, TakenNodes } from './take-input.ts';
import { readRules, type TakenHeader, type TakeReport, type TakeRequest } from './take-wire.ts';

/** Hear how far it is, and take the bytes of the nodes piece by piece. */
type Listeners = Required<Pick<TakeInput, 'onProgress' | 'onPiece'>>;

/** In the other process: takes the snapshot. @returns what is to be said of it. */
export async function carryOutTake(deps: RollbackDeps, request: TakeRequest, listeners: Listeners): Promise<TakeReport> {
  try {
    const taken = await takeHere(deps, request, listeners);
    const { nodesBytes, nodesHash, root, merkleRoot, storedBytes, totals } = taken;
    const header: TakenHeader = {
      nodesBytes,
      nodesHash,
      root,
      merkleRoot,
      storedBytes,
      fileCount: totals.fileCount,
      entryCount: totals.entryCount,
      sizeBytes: totals.sizeBytes,
      skipped: [...totals.skipped],
      roots: taken.roots.map(({ rules, tops }) => ({ rules: rules.toStored(), tops })),
    };
    return { kind: 'taken', taken: header };
  } catch (error) {
    const { call, errno } = error instanceof SystemError ? error : { call: '', errno: '' };
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', call, errno, message };
  }
}

async function takeHere(
  deps: RollbackDeps,
  { roots, number, previous, objects, earlierObjects, limits }: TakeRequest,
  listeners: Listeners,
): Promise<TakenNodes> {
  const { files } = deps;
  using opened = new DisposableStack();
  const open = (path: Bytes | null) => (path === null ? undefined : opened.use(files.openDirectory(path)));
  const openTree = ({ rollbacks, id, number: which }: PlaceOfTree) => {
    const store = opened.use(new RollbackStore(files.openDirectory(rollbacks), deps.hash));
    const session = opened.use(store.open(id));
    return session.tree(session.manifest, which);
  };
  return await takeNodes(deps, {
    roots: roots.map(({ path, rules, tops }) => ({ path, rules: readRules(rules), collect: trackedBy(deps, path, tops) })),
    number,
    previous: previous === null ? undefined : openTree(previous),
    objects: open(objects),
    earlierObjects: open(earlierObjects),
    limits: {
      maxFileBytes: limits.maxFileBytes ?? Number.POSITIVE_INFINITY,
      maxSessionBytes: limits.maxSessionBytes ?? Number.POSITIVE_INFINITY,
      maxEntries: limits.maxEntries ?? Number.POSITIVE_INFINITY,
    },
    ...listeners,
  });
}

function trackedBy({ files }: RollbackDeps, path: Bytes, tops: readonly Bytes[] | null): GitTracked | undefined {
  if (tops === null) return undefined;
  const tracked = new GitTracked(files, path, undefined);
  for (const top of tops) tracked.addWorkTree(top);
  return tracked;
}
