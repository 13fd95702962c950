import type { Bytes } from '../../bytes.ts';
import type { FileDelta, FileSide } from '../../rollback/file-delta.ts';
import { type PatchDelta, type PatchDeps, renderPatch } from '../../ui/patch.ts';
import type { SessionView } from './session-view.ts';

/** What git takes for its own directory, on any file system (verify_path() of read-cache.c): for one such name git apply refuses all of a patch. */
const REFUSED_REGEXP = /(?:^|[/\\])(?:\.git|git~1)[. ]*(?:$|[/\\:])/i;
/** The same for a link. */
const REFUSED_LINK_REGEXP = /(?:^|[/\\])(?:\.gitmodules|gitmod~[1-4]|gi7eba~[1-9])[. ]*(?:$|[/\\:])/i;

/** For git: in pieces, so that a large change is never in memory as a whole. */
export function* patches(view: SessionView, deps: PatchDeps): Generator<Uint8Array> {
  for (const delta of view.deltas) {
    const { before, after, renamedFrom } = delta;
    // Bits of the mode that git does not know.
    if (renamedFrom === undefined && before?.hash === after?.hash && before?.mode === after?.mode) continue;
    const taken = takenByGit(delta);
    if (taken !== undefined) yield* renderPatch(taken, deps);
  }
}

/** Names that no patch may have. */
export function refusedNames({ deltas }: Pick<SessionView, 'deltas'>): readonly Bytes[] {
  return deltas.flatMap(({ name, before, after, renamedFrom }) => [
    ...(isRefused(name, after) || (renamedFrom === undefined && isRefused(name, before)) ? [name] : []),
    ...(renamedFrom !== undefined && isRefused(renamedFrom.name, before) ? [renamedFrom.name] : []),
  ]);
}

/** Of what was renamed to a refused name, or from one, the other half. */
function takenByGit(delta: FileDelta): PatchDelta | undefined {
  const { name, before, after, renamedFrom } = delta;
  const from = renamedFrom?.name ?? name;
  const isGone = before === undefined || isRefused(from, before);
  const isNew = after === undefined || isRefused(name, after);
  if (isGone && isNew) return undefined;
  if (!isRefused(from, before) && !isRefused(name, after)) return delta;
  return isNew
    ? { name: from, before, after: undefined, renamedFrom: undefined }
    : { name, before: undefined, after, renamedFrom: undefined };
}

function isRefused(name: Bytes, side: FileSide | undefined): boolean {
  if (side === undefined) return false;
  return REFUSED_REGEXP.test(name) || (side.mode === '120000' && REFUSED_LINK_REGEXP.test(name));
}
