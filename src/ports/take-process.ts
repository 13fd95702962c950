import type { TakeReport, TakeRequest } from '../rollback/take-wire.ts';

/** The last report of a process that takes a snapshot, and the bytes of the nodes, which are there until this is disposed of. */
export interface TakenElsewhere extends Disposable {
  readonly report: TakeReport;
  /** Each is good until the next is asked for. */
  readonly pieces: Iterable<Buffer>;
}

/**
 * Lets another process take a snapshot.
 *
 * `onProgress` hears the number of entries so far, a few times a second. Rejects when the process cannot be started or ends without
 * a word. It ends with this process.
 */
export type TakeElsewhere = (request: TakeRequest, onProgress: (entries: number) => void) => Promise<TakenElsewhere>;
