import type { Manifest } from './manifest.ts';

/**
 * Where a restore is, by its own session. Before `begun` nothing was touched and nobody sees it; `removed` is what it becomes when
 * it is taken back. One that is `begun` while nobody holds its lock was interrupted.
 */
export type RestoreState = 'begun' | 'complete' | 'removed';
/** `resume`: what it had not reached is done. `abort`: what it had reached is taken back. */
export type RestoreEvent = 'resume' | 'abort';

/** What no row has comes too late: another process was first. */
export const RESTORES: Readonly<Record<RestoreState, Partial<Record<RestoreEvent, RestoreState>>>> = {
  begun: { resume: 'complete', abort: 'removed' },
  complete: {},
  removed: {},
};

/** @param manifest Of the restore's session, which is listed. */
export function restoreState(manifest: Pick<Manifest, 'status'>): RestoreState {
  return manifest.status === 'open' ? 'begun' : 'complete';
}
