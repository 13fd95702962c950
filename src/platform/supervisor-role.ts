import { superviseSession } from '../commands/supervisor.ts';
import { NonoError } from '../errors.ts';
import { encodeLine, LineReader } from '../json-lines.ts';
import type { RunHook } from '../session/approval-host.ts';
import { StartedGuardian } from '../session/guarded-command.ts';
import { describeStartFailure, type SessionStart, type StartReport } from '../session/start-wire.ts';
import { createBunHash } from './bun/hash.ts';
import { startBunPty } from './bun/pty.ts';
import { createBunSockets } from './bun/socket.ts';
import { followDescriptor, writeAll } from './linux/channel.ts';
import { createLinuxFiles } from './linux/files.ts';
import { utcOffsetMinutes } from './linux/local-time.ts';
import { createLinuxOrphans } from './linux/orphans.ts';
import { createLinuxProcesses } from './linux/processes.ts';
import { randomHex } from './linux/random.ts';
import { createLinuxSignals } from './linux/signals.ts';
import { syscall } from './linux/syscalls.ts';
import { prepareToSync } from './node/sync-later.ts';
import { createSystemClock } from './system-clock.ts';

/** The channel to the starter. */
const CHANNEL = 3;

/** The supervisor role: waits for its instructions and lives as long as the session. */
export function runSupervisor(): void {
  // At once, because it takes as long to start as the rest takes to prepare; without a command it ends with this process.
  const guardian = startGuardian();
  const lines = new LineReader<SessionStart>();
  const starter = new AbortController();
  let isTold = false;
  followDescriptor(CHANNEL, (data) => {
    // A starter that died without a word wanted nothing.
    if (data.length === 0 && !isTold) process.exit(0);
    if (data.length === 0) starter.abort();
    for (const start of lines.push(data)) {
      isTold = true;
      if (guardian instanceof NonoError) refuse(guardian);
      else void supervise(start, guardian, starter.signal);
    }
  });
  prepareToSync();
}

/** What went wrong is told when the starter listens for it. */
function startGuardian(): StartedGuardian | NonoError {
  try {
    return new StartedGuardian(startBunPty);
  } catch (error) {
    if (error instanceof NonoError) return error;
    throw error;
  }
}

function refuse(error: NonoError): never {
  report({ kind: 'failed', error: describeStartFailure(error) });
  process.exit(0);
}

let hook: RunHook | undefined;

async function supervise(start: SessionStart, guardian: StartedGuardian, starterGone: AbortSignal): Promise<void> {
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
    report,
  });
  process.exit(0);
}

function onSocketWanted(listener: () => void): Disposable {
  process.on('SIGUSR1', listener);
  return { [Symbol.dispose]: () => void process.off('SIGUSR1', listener) };
}

function report(message: StartReport): void {
  writeAll(CHANNEL, encodeLine(message));
  // The starter waits for the end, so that nothing of the session holds on to it.
  if (message.kind === 'ready' || message.kind === 'failed') syscall('shutdown', CHANNEL, 2);
}
