import type { Background } from '../ports/background.ts';
import type { Clock } from '../ports/clock.ts';
import type { StartContentWorkers } from '../ports/content-workers.ts';
import type { SyncDisk } from '../ports/disk-sync.ts';
import type { Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { Memory } from '../ports/memory.ts';
import type { Orphans } from '../ports/orphans.ts';
import type { Processes } from '../ports/processes.ts';
import type { Signals } from '../ports/signals.ts';
import type { Sockets } from '../ports/socket.ts';
import type { TakeElsewhere } from '../ports/take-process.ts';
import type { RunHook } from '../session/approval-host.ts';
import type { StartedGuardian } from '../session/guarded-command.ts';
import type { RandomHex } from '../session/names.ts';
import { type StartReport } from '../session/start-wire.ts';

/** What a supervisor has of the machine. */
export interface SupervisorDeps {
  readonly files: Files;
  readonly hash: Hash;
  readonly clock: Clock;
  readonly randomHex: RandomHex;
  readonly processes: Processes;
  readonly signals: Signals;
  readonly sockets: Sockets;
  readonly guardian: StartedGuardian;
  readonly orphans: Orphans;
  readonly loadContentWorkers: () => Promise<StartContentWorkers>;
  /** Another process for the snapshots of large trees. */
  readonly loadTakeElsewhere: () => Promise<TakeElsewhere>;
  /** Gives memory back that nobody uses any more; takes some milliseconds. */
  readonly memory: Memory;
  readonly loadDiskSync: () => Promise<SyncDisk>;
  readonly loadBackground: () => Promise<Background>;
  readonly loadHookRunner: (environment: Readonly<Record<string, string>>) => Promise<RunHook>;
  /** The starter died, or gave up, before it heard of a session that runs. */
  readonly starterGone: AbortSignal;
  /** Makes what waits for the disk ready for that. */
  readonly beginSyncing: () => void;
  /** Somebody asks by SIGUSR1 for a socket that is gone. */
  readonly onSocketWanted: (listener: () => void) => Disposable;
  /** To the starter, for as long as it listens. */
  readonly report: (report: StartReport) => void;
}
