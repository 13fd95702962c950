import { type PatchDeps, renderPatch } from '../../ui/patch.ts';
import type { SessionView } from './session-view.ts';

/** For git: in pieces, so that a large change is never in memory as a whole. */
export function* patches(view: SessionView, deps: PatchDeps): Generator<Uint8Array> {
  for (const delta of view.deltas) {
    const { before, after, renamedFrom } = delta;
    // Bits of the mode that git does not know.
    if (renamedFrom === undefined && before?.hash === after?.hash && before?.mode === after?.mode) continue;
    yield* renderPatch(delta, deps);
  }
}
