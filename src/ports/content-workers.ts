import type { Bytes } from '../bytes.ts';
import type { RestoreBatch, TaskBatch } from '../rollback/content-wire.ts';

/** What every thread needs before its first batch. */
export interface WorkerOptions {
  /** Absolute paths of the directories that tasks are relative to. */
  readonly roots: readonly Bytes[];
  /** Absolute paths of `objects/` of this session and of the earlier one; undefined to hash only. */
  readonly objects: Bytes | undefined;
  readonly earlierObjects: Bytes | undefined;
  readonly maxFileBytes: number;
  /** False for a baseline: nobody can see its session yet. */
  readonly isListed: boolean;
}

/** Threads that read, hash and store contents. */
export interface ContentWorkers extends AsyncDisposable {
  /**
   * Resolves with one record for each task, in their order (content-wire.ts), in the memory of `into`, which is gone for the
   * caller until then. Batches of one thread run
   * one after the other; rejects with what the thread met that is no property of one file.
   */
  run(batch: TaskBatch, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Takes over the contents of the encoded entries, whose memory is gone for the caller, that known-contents.ts finds among them.
   *
   * @returns undefined when all were taken over, else the entries; those that were not are marked with NOT_TAKEN_OVER.
   */
  takeOver(entries: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  /** Files to make, one record for each as of run(); their contents come from `earlierObjects` and are linked into `objects`. */
  restore(batch: RestoreBatch): Promise<Uint8Array>;
  /** Bytes newly stored so far; ask when all batches are done. */
  storedBytes(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Threads that are starting, and do not know yet what for. */
export interface StartingWorkers extends AsyncDisposable {
  /** Tells them what to do; what an earlier call gave does nothing any more. The end of what is given is theirs too. */
  workOn(options: WorkerOptions): ContentWorkers;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Each call gives threads of its own. */
export type StartContentWorkers = () => StartingWorkers;
