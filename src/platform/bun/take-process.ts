import { encodeLine, LineReader } from '../../json-lines.ts';
import type { TakeElsewhere } from '../../ports/take-process.ts';
import type { TakeReport } from '../../rollback/take-wire.ts';
import { makeMemory, readMemory } from '../linux/memory-file.ts';
import { NO_OPTIMIZER } from '../linux/start-anew.ts';
import { syscall } from '../linux/syscalls.ts';
import { orSystemError } from './refused-spawn.ts';

/** Hidden first argument that turns the executable into a process that takes one snapshot. */
const TAKE_ROLE = '__take';
const OWN_EXECUTABLE = '/proc/self/exe';

/**
 * A snapshot of 50,000 files takes half the time of the processor without the optimizer, and the collector is told of little
 * memory, so that it does not leave 100 MB of what is used for a moment.
 */
const ENVIRONMENT = { HOME: '/', ...NO_OPTIMIZER, BUN_JSC_forceRAMSize: '64000000' };

/** Starts a process for each snapshot. In a session of its own: a key that stops the command does not stop its last snapshot. */
export const takeInProcess: TakeElsewhere = async (request, onProgress, follow) => {
  using owned = new DisposableStack();
  // Megabytes by a pipe would be one turn of both loops for every few pages.
  const nodes = owned.adopt(makeMemory('nono-nodes'), (file) => void syscall('close', file));
  const child = orSystemError(() =>
    Bun.spawn([OWN_EXECUTABLE, TAKE_ROLE], {
      env: ENVIRONMENT,
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore', nodes],
    }),
  );
  using _followed = follow?.(child);
  // The pipe stays open: its end tells the process that nobody waits any more.
  void child.stdin.write(encodeLine(request));
  void child.stdin.flush();
  let report: TakeReport | undefined;
  try {
    report = await readReports(child.stdout, onProgress);
  } finally {
    child.kill('SIGKILL');
    // What one that was stopped has stored may be removed then, and must not grow meanwhile. One that is done writes nothing more.
    if (report?.kind !== 'taken') await child.exited;
  }
  const sizeBytes = report.kind === 'taken' ? report.taken.nodesBytes : 0;
  const kept = owned.move();
  return { report, pieces: { [Symbol.iterator]: () => readMemory(nodes, sizeBytes) }, [Symbol.dispose]: () => kept.dispose() };
};

/** Lines, of which the last says what came of it. */
async function readReports(stream: ReadableStream<Uint8Array>, onProgress: (entries: number) => void) {
  const lines = new LineReader<TakeReport>('the process that takes the snapshot');
  for await (const piece of stream) {
    for (const report of lines.push(piece)) {
      if (report.kind !== 'progress') return report;
      onProgress(report.entries);
    }
  }
  const message = 'the process that was to take it was killed';
  return { kind: 'failed', call: '', errno: '', message } as const;
}
