import { type Bytes, bytesFromText } from '../bytes.ts';
import { EXIT, NonoError } from '../errors.ts';
import { encodeLine, LineReader } from '../json-lines.ts';
import type { Background } from '../ports/background.ts';
import type { CaptureLimits } from '../rollback/capture-input.ts';
import type { SnapshotRecord } from '../rollback/manifest.ts';
import type { RollbackRun } from '../rollback/run.ts';
import { CHECKPOINT_ROLE, type CheckpointOrder, type CheckpointReport } from '../session/checkpoint-wire.ts';
import type { RequestOutcome } from '../session/hub-host.ts';
import type { SnapshotHelpers } from '../session/snapshot-helpers.ts';
import { startError } from '../session/start-wire.ts';

/** The same file that this process runs, even when another version was installed over it. */
const OWN_EXECUTABLE = '/proc/self/exe';
const ENVIRONMENT = { HOME: '/' };
/** What a checkpoint is called that comes by itself. */
const PERIODIC_LABEL = 'checkpoint';

export interface CheckpointDeps {
  readonly loadBackground: () => Promise<Background>;
  readonly helpers: SnapshotHelpers;
  readonly stateDirectory: Bytes;
  readonly limits: CaptureLimits;
  /** This process, which holds the session's lock. */
  readonly pid: number;
  readonly snapshots: RollbackRun;
  /** A snapshot was taken and listed. */
  readonly onTaken: (snapshot: SnapshotRecord) => void;
  /** For people: why one that nobody asked for was not taken. */
  readonly notify: (line: string) => void;
}

/**
 * Takes intermediate snapshots of a running session, one after the other. Each in a process of its own: a walk through
 * a large tree would keep this one from its terminal, its clients and its heartbeat, and its memory for good.
 */
export class Checkpoints implements Disposable {
  readonly #deps: CheckpointDeps;
  readonly #everyMs: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isBegun = false;
  #isPeriodicRunning = false;

  /** @param everyMs Undefined to take only those that are asked for. */
  constructor(deps: CheckpointDeps, everyMs: number | undefined) {
    this.#deps = deps;
    this.#everyMs = everyMs;
  }

  /** The command runs: from now on there is something to take. */
  begin(): void {
    this.#isBegun = true;
    if (this.#everyMs !== undefined) this.#timer = setInterval(() => void this.#takePeriodic(), this.#everyMs);
  }

  /** Never rejects. */
  async take(label: string): Promise<RequestOutcome> {
    if (!this.#isBegun) return { isDone: false, code: 'refused', message: 'its command has not been started yet' };
    try {
      const snapshot = await this.#take(label, false);
      return snapshot === undefined
        ? { isDone: false, code: 'failed', message: 'no snapshot came of it' }
        : { isDone: true, changed: true, snapshot: snapshot.number };
    } catch (error) {
      return { isDone: false, code: 'failed', message: reasonOf(error) };
    }
  }

  /** One that takes longer than the time between two swallows the next. */
  async #takePeriodic(): Promise<void> {
    if (this.#isPeriodicRunning) return;
    this.#isPeriodicRunning = true;
    try {
      await this.#take(PERIODIC_LABEL, true);
    } catch (error) {
      this.#deps.notify(`No checkpoint was taken: ${reasonOf(error)}`);
    } finally {
      this.#isPeriodicRunning = false;
    }
  }

  async #take(label: string, isOnlyIfChanged: boolean): Promise<SnapshotRecord | undefined> {
    const { loadBackground, helpers, stateDirectory, limits, pid, snapshots, onTaken } = this.#deps;
    const background = await loadBackground();
    const order = { stateDirectory, id: snapshots.id, label: bytesFromText(label), limits, isOnlyIfChanged, ownerPid: pid };
    const taken = await snapshots.checkpoint(() => takeElsewhere({ background, helpers }, order));
    if (taken !== undefined) onTaken(taken);
    return taken;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Settles when the process has answered, or has ended without a word. */
async function takeElsewhere(
  { background, helpers }: { readonly background: Background; readonly helpers: SnapshotHelpers },
  order: CheckpointOrder,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lines = new LineReader<CheckpointReport>('the process that takes the checkpoint');
  const taker = background.start({
    file: OWN_EXECUTABLE,
    arguments: [CHECKPOINT_ROLE],
    environment: ENVIRONMENT,
    onMessage(data) {
      try {
        for (const report of lines.push(data)) {
          if (report.kind === 'done') resolve();
          else reject(startError(report.error));
        }
      } catch (error) {
        reject(error);
      }
      if (data.length === 0) reject(new NonoError('E_SUPERVISOR', EXIT.failure, 'the process that took the snapshot was killed'));
    },
  });
  using _followed = helpers.follow(taker);
  taker.send(encodeLine(order));
  try {
    await promise;
  } finally {
    taker.close();
  }
}
