import type { TakeReport, TakeRequest } from '../rollback/take-wire.ts';

/**
 * Lets another process take a snapshot.
 *
 * Resolves with its last report and the bytes of the nodes; `onProgress` hears the number of entries so far, a few times a
 * second. Rejects when the process cannot be started or ends without a word. It ends with this process.
 */
export type TakeElsewhere = (
  request: TakeRequest,
  onProgress: (entries: number) => void,
) => Promise<{ readonly report: TakeReport; readonly pieces: readonly Buffer[] }>;
