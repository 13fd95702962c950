import type { TakenElsewhere, TakeRequest } from '../rollback/take-wire.ts';

/**
 * Lets another process take a snapshot.
 *
 * `onProgress` hears the number of entries so far, a few times a second. Rejects when the process cannot be started or ends without
 * a word. It ends with this process.
 *
 * @param follow Told of the process when it has been started; what it gives is disposed of when it has ended.
 */
export type TakeElsewhere = (
  request: TakeRequest,
  onProgress: (entries: number) => void,
  follow?: (helper: SnapshotHelper) => Disposable,
) => Promise<TakenElsewhere>;

/** A process that was started, to be signalled; nothing happens once it is reaped. */
export interface SnapshotHelper {
  kill(signal: number): void;
}
