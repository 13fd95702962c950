import type { Clock } from '../ports/clock.ts';
import type { StartContentWorkers } from '../ports/content-workers.ts';
import type { SyncDisk } from '../ports/disk-sync.ts';
import type { Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { NodeWork } from '../ports/node-work.ts';
import type { TakeElsewhere } from '../ports/take-process.ts';

/** What the engine needs of a machine. */
export interface RollbackDeps {
  readonly files: Files;
  readonly hash: Hash;
  readonly clock: Clock;
  /** Faster than plainNodeWork, where the system has it. */
  readonly nodeWork?: NodeWork | undefined;
  /** What waits for the disk in another thread; undefined to wait in this one. */
  readonly loadDiskSync?: (() => Promise<SyncDisk>) | undefined;
  /** Threads for the contents; undefined where there are none. */
  readonly loadContentWorkers?: (() => Promise<StartContentWorkers>) | undefined;
  /** Another process for large trees; undefined where there is none. */
  readonly loadTakeElsewhere?: (() => Promise<TakeElsewhere>) | undefined;
}
