import { type Bytes, displayBytes, jsonPath } from '../../bytes.ts';
import { EXIT, NotFoundError, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { findRollbackSession } from '../../rollback/find-session.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import { type RollbackStore, type UnreadableSession } from '../../rollback/store.ts';
import { type VerifyResult, verifySession } from '../../rollback/verify.ts';
import { ProgressLine } from '../../ui/progress.ts';
import { formatSize } from '../../ui/size.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { findRollbackId, openStore, rollbackDeps } from './open-store.ts';

export async function execute({ flags, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const [wanted] = positionals;
  if ((wanted === undefined) !== flags.has('all')) {
    throw new UsageError(wanted === undefined ? 'Cannot verify without ID or --all' : 'Cannot use --all with an ID');
  }
  const { store, manifests, unreadable } = openStore({ ...context, notify: () => {} });
  const ids =
    wanted === undefined
      ? (store?.ids() ?? [])
      : [
          findDamaged(unreadable, manifests, wanted) ??
            (await findRollbackId(context, wanted, (one) => findRollbackSession(manifests, unreadable, one).id)),
        ];
  if (store === undefined && wanted !== undefined)
    throw new NotFoundError(`Cannot find rollback session "${displayBytes(wanted)}"`);
  const results: VerifyResult[] = [];
  for (const id of store === undefined ? [] : ids) {
    const what = ids.length === 1 ? 'Verifying' : `Verifying session ${results.length + 1} of ${ids.length}`;
    using line = new ProgressLine(context.showProgress, context.clock, `${what} …`);
    const tell = (checked: number, objects: number) => line.count(what, checked, 'objects', objects);
    results.push(await verifySession(rollbackDeps(context), store as RollbackStore, id, tell));
  }
  const isSound = results.every(({ findings }) => findings.length === 0);
  return {
    output: flags.has('json') ? renderJson(results) : renderText(results),
    exitCode: isSound ? EXIT.ok : EXIT.partial,
  };
}

/** The damaged session that is meant, since to look at it is what this verb is for. */
function findDamaged(unreadable: readonly UnreadableSession[], manifests: readonly Manifest[], wanted: Bytes): Bytes | undefined {
  const fits = ({ id }: { readonly id: Bytes }) => id === wanted || (wanted !== '' && id.startsWith(wanted));
  const [found, another] = unreadable.filter(fits);
  return found?.id === wanted || (another === undefined && !manifests.some(fits)) ? found?.id : undefined;
}

function renderJson(results: readonly VerifyResult[]): string {
  return jsonOutput({
    ok: results.every(({ findings }) => findings.length === 0),
    sessions: results.map(({ session, objects, bytes, findings }) => ({
      session_id: session,
      objects,
      bytes,
      findings: findings.map(({ kind, path, message }) => ({ ...jsonPath(path), kind, message })),
    })),
  });
}

function renderText(results: readonly VerifyResult[]): string {
  const lines = results.flatMap(({ session, objects, bytes, findings }) => {
    const size = `${objects} ${objects === 1 ? 'object' : 'objects'}, ${formatSize(bytes)}`;
    if (findings.length === 0) return [`${session}  ok  ${size}`];
    const state = findings.every(({ kind }) => kind === 'unreadable') ? 'not checked' : 'damaged';
    return [`${session}  ${state}  ${size}`, ...findings.map(({ path, message }) => `  ${displayBytes(path)}: ${message}`)];
  });
  return lines.length === 0 ? 'No sessions to verify\n' : `${lines.join('\n')}\n`;
}
