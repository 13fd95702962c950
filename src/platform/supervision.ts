import { superviseSession } from '../commands/supervisor.ts';
import type { RunHook } from '../session/approval-host.ts';
import type { StartedGuardian } from '../session/guarded-command.ts';
import type { SessionStart, StartReport } from '../session/start-wire.ts';
import { createBunHash } from './bun/hash.ts';
import { createBunSockets } from './bun/socket.ts';
import { createLinuxFiles } from './linux/files.ts';
import { utcOffsetMinutes } from './linux/local-time.ts';
import { createLinuxOrphans } from './linux/orphans.ts';
import { createLinuxProcesses } from './linux/processes.ts';
import { randomHex } from './linux/random.ts';
import { createLinuxSignals } from './linux/signals.ts';
import { beginSyncing } from './node/sync-later.ts';
import { createSystemClock } from './system-clock.ts';

let hook: RunHook | undefined;

interface SupervisorStart {
  readonly guardian: StartedGuardian;
  readonly starterGone: AbortSignal;
  readonly report: (message: StartReport) => void;
}

/** Until the session is over, and with it the process. */
export async function hostSupervisor(start: SessionStart, { guardian, starterGone, report }: SupervisorStart): Promise<void> {
  await superviseSession(start, {
    files: createLinuxFiles(),
    hash: createBunHash(),
    clock: { ...createSystemClock(), utcOffsetMinutes },
    randomHex,
    processes: createLinuxProcesses(),
    signals: createLinuxSignals(),
    sockets: createBunSockets(),
    guardian,
    orphans: createLinuxOrphans(),
    loadBackground: async () => (await import('./bun/background.ts')).createBunBackground(),
    loadDiskSync: async () => (await import('./linux/disk-sync/sync-disk.ts')).syncDiskInThread,
    loadContentWorkers: async () => (await import('./bun/content-workers.ts')).startContentWorkers,
    loadTakeElsewhere: async () => (await import('./bun/take-process.ts')).takeInProcess,
    loadHookRunner: async (environment) => (hook ??= (await import('./bun/hook.ts')).createHookRunner(environment)),
    memory: { residentBytes: () => process.memoryUsage.rss(), collectGarbage: () => Bun.gc(true) },
    starterGone,
    onSocketWanted,
    beginSyncing,
    report,
  });
  process.exit(0);
}

function onSocketWanted(listener: () => void): Disposable {
  process.on('SIGUSR1', listener);
  return { [Symbol.dispose]: () => void process.off('SIGUSR1', listener) };
}
