import { textFromBytes } from '../bytes.ts';
import { encodeLine, LineReader } from '../json-lines.ts';
import { takeCheckpoint } from '../rollback/checkpoint.ts';
import { openRollbacks } from '../rollback/open-rollbacks.ts';
import { RollbackStore } from '../rollback/store.ts';
import type { CheckpointOrder, CheckpointReport } from '../session/checkpoint-wire.ts';
import { describeStartFailure } from '../session/start-wire.ts';
import { createBunHash } from './bun/hash.ts';
import { followDescriptor, writeAll } from './linux/channel.ts';
import { createLinuxFiles } from './linux/files.ts';
import { utcOffsetMinutes } from './linux/local-time.ts';
import { createSystemClock } from './system-clock.ts';

/** The channel to the process that owns the session. */
const CHANNEL = 3;

/** The snapshot role: takes one checkpoint of a session that its parent owns, says how it went, and ends. */
export function runCheckpoint(): void {
  const lines = new LineReader<CheckpointOrder>('whoever wants a checkpoint');
  let isTold = false;
  followDescriptor(CHANNEL, (data) => {
    // Whoever asked is gone. A checkpoint that was begun is completed: it is the session's last.
    if (data.length === 0 && !isTold) process.exit(0);
    for (const order of lines.push(data)) {
      isTold = true;
      void answer(order);
    }
  });
}

async function answer(order: CheckpointOrder): Promise<void> {
  writeAll(CHANNEL, encodeLine(await take(order)));
  process.exit(0);
}

async function take({ stateDirectory, label, ownerPid, ...order }: CheckpointOrder): Promise<CheckpointReport> {
  try {
    const files = createLinuxFiles();
    const hash = createBunHash();
    const deps = {
      files,
      hash,
      clock: { ...createSystemClock(), utcOffsetMinutes },
      loadContentWorkers: async () => (await import('./bun/content-workers.ts')).startContentWorkers,
    };
    using state = files.openDirectory(stateDirectory);
    using store = new RollbackStore(openRollbacks(state), hash);
    await takeCheckpoint(deps, store, { ...order, label: textFromBytes(label) }, () => process.ppid === ownerPid);
    return { kind: 'done' };
  } catch (error) {
    return { kind: 'failed', error: describeStartFailure(error) };
  }
}
