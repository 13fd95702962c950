import type { TakenElsewhere, TakeRequest } from '../rollback/take-wire.ts';

/**
 * Lets another process take a snapshot.
 *
 * `onProgress` hears the number of entries so far, a few times a second. Rejects when the process cannot be started or ends without
 * a word. It ends with this process.
 */
export type TakeElsewhere = (request: TakeRequest, onProgress: (entries: number) => void) => Promise<TakenElsewhere>;
