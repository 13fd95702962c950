import type { SnapshotHelper, TakeElsewhere } from '../ports/take-process.ts';
import { signalNumber } from '../signal-names.ts';

const SIGKILL = signalNumber('SIGKILL');
const SIGCONT = signalNumber('SIGCONT');

/** How far the command is when somebody wants the session to end. */
export type Progress = 'not begun' | 'running' | 'ended';

/**
 * The processes that take snapshots for a session. A signal may have stopped one of them: when somebody wants the session to end they go on, and
 * when that is in vain the session ends without their snapshots.
 */
export class SnapshotHelpers {
  readonly #running = new Set<SnapshotHelper>();
  #isForced = false;
  #isGivenUp = false;

  /** Until it is disposed of. */
  follow(helper: SnapshotHelper): Disposable {
    this.#running.add(helper);
    if (this.#isGivenUp) helper.kill(SIGKILL);
    return { [Symbol.dispose]: () => void this.#running.delete(helper) };
  }

  /** The same way to take snapshots, with its processes followed. */
  following(load: () => Promise<TakeElsewhere>): () => Promise<TakeElsewhere> {
    return async () => {
      const take = await load();
      return (request, onProgress) => take(request, onProgress, (helper) => this.follow(helper));
    };
  }

  /** A baseline is of no use when no command will run; the final snapshot is waited for until somebody has asked for force twice. */
  endWanted(isForced: boolean, progress: Progress): void {
    for (const helper of this.#running) helper.kill(SIGCONT);
    if (progress === 'not begun' || (progress === 'ended' && isForced && this.#isForced)) this.#giveUp();
    if (progress === 'ended') this.#isForced ||= isForced;
  }

  #giveUp(): void {
    this.#isGivenUp = true;
    for (const helper of this.#running) helper.kill(SIGKILL);
  }
}
