import { encodeLine, LineReader } from '../json-lines.ts';
import { carryOutTake } from '../rollback/carry-out-take.ts';
import type { TakeRequest } from '../rollback/take-wire.ts';
import { startContentWorkers } from './bun/content-workers.ts';
import { createBunHash } from './bun/hash.ts';
import { loadBulkNodes } from './linux/bulk-nodes.ts';
import { followDescriptor, writeAll } from './linux/channel.ts';
import { createLinuxFiles } from './linux/files.ts';
import { utcOffsetMinutes } from './linux/local-time.ts';
import { trySyscall } from './linux/syscalls.ts';
import { createSystemClock } from './system-clock.ts';

const REQUESTS = 0;
const REPORTS = 1;
/** Memory that the other process has given for the bytes of the nodes. */
const NODES = 3;
/** include/uapi/linux/prctl.h */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const PROGRESS_INTERVAL_MS = 100;

/** The role of a process that takes one snapshot for another one of nono's, and dies with it. */
export function runTake(): void {
  trySyscall('prctl', PR_SET_PDEATHSIG, SIGKILL);
  const lines = new LineReader<TakeRequest>('whoever wants a snapshot');
  let isAsked = false;
  followDescriptor(REQUESTS, (data) => {
    if (data.length === 0) process.exit(0);
    for (const request of lines.push(data)) {
      if (!isAsked) void take(request);
      isAsked = true;
    }
  });
}

async function take(request: TakeRequest): Promise<void> {
  const clock = { ...createSystemClock(), utcOffsetMinutes };
  // The first snapshot of a tree has work for them: they start while this thread begins to look.
  const workers = request.number === 0 && request.previous === null ? startContentWorkers(true) : undefined;
  const deps = {
    // It is started for large trees only.
    files: createLinuxFiles({ bulkFromEntries: 0 }),
    hash: createBunHash(),
    nodeWork: loadBulkNodes(),
    clock,
    loadContentWorkers: async () => () => workers ?? startContentWorkers(),
  };
  let toldMs = clock.monotonicMs();
  const onProgress = (entries: number) => {
    if (clock.monotonicMs() - toldMs < PROGRESS_INTERVAL_MS) return;
    toldMs = clock.monotonicMs();
    writeAll(REPORTS, encodeLine({ kind: 'progress', entries }));
  };
  const report = await carryOutTake(deps, request, { onProgress, onPiece: (piece) => writeAll(NODES, piece) });
  writeAll(REPORTS, encodeLine(report));
}
