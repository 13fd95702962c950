import { encodeLine } from '../../json-lines.ts';
import type { TakeElsewhere } from '../../ports/take-process.ts';
import type { TakeReport } from '../../rollback/take-wire.ts';
import { NO_OPTIMIZER } from '../linux/start-anew.ts';

/** Hidden first argument that turns the executable into a process that takes one snapshot. */
const TAKE_ROLE = '__take';
const OWN_EXECUTABLE = '/proc/self/exe';
const NEWLINE = 0x0a;

/**
 * A snapshot of 50,000 files takes half the time of the processor without the optimizer, and the collector is told of little
 * memory, so that it does not leave 100 MB of what is used for a moment.
 */
const ENVIRONMENT = { HOME: '/', ...NO_OPTIMIZER, BUN_JSC_forceRAMSize: '64000000' };

/** Starts a process for each snapshot. In a session of its own: a key that stops the command does not stop its last snapshot. */
export const takeInProcess: TakeElsewhere = async (request, onProgress) => {
  const child = Bun.spawn([OWN_EXECUTABLE, TAKE_ROLE], {
    env: ENVIRONMENT,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // The pipe stays open: its end tells the process that nobody waits any more.
  void child.stdin.write(encodeLine(request));
  void child.stdin.flush();
  try {
    return await readAnswer(child.stdout, onProgress);
  } finally {
    child.kill('SIGKILL');
    // What it has stored may be removed now, and must not grow meanwhile.
    await child.exited;
  }
};

/** Lines until the last report, then the bytes that it announces. */
async function readAnswer(stream: ReadableStream<Uint8Array>, onProgress: (entries: number) => void) {
  let pieces: Buffer[] = [];
  let length = 0;
  let final: TakeReport | undefined;
  for await (const piece of stream) {
    pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    length += piece.length;
    if (final === undefined && piece.includes(NEWLINE)) {
      const { report, rest } = splitReports(Buffer.concat(pieces), onProgress);
      final = report;
      pieces = [rest];
      length = rest.length;
    }
    const wanted = final?.kind === 'taken' ? final.taken.nodesBytes : 0;
    if (final !== undefined && length >= wanted) return { report: final, pieces };
  }
  const message = 'the process that was to take it was killed';
  return { report: { kind: 'failed', call: '', errno: '', message } as const, pieces: [] };
}

/** @returns the last report, when it is there, and what follows the lines. */
function splitReports(data: Buffer, onProgress: (entries: number) => void) {
  let rest = data;
  for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
    const report = JSON.parse(rest.toString('latin1', 0, end)) as TakeReport;
    rest = rest.subarray(end + 1);
    if (report.kind !== 'progress') return { report, rest };
    onProgress(report.entries);
  }
  return { report: undefined, rest };
}
