import { SystemError } from '../errors.ts';
import type { RequestOutcome } from '../session/hub-host.ts';
import type { LiveSession } from '../session/live-session.ts';
import type { SessionEnd } from '../session/messages.ts';
import type { OwnedTree } from '../session/owned-tree.ts';
import type { PlainSession } from '../session/plain-session.ts';
import type { PlainAsking } from './plain-asking.ts';
import type { PlainRun } from './plain-run.ts';

/** A command that takes less than this is over before anybody could ask for its session: its start need not wait for a socket. */
const OPENS_AFTER_MS = 30;

/** What keeps a socket from being made, no descriptor say, may be over by then. */
const TRIES_AGAIN_AFTER_MS = 1000;

/** Takes a snapshot of the session as it is now. */
type Checkpoint = (label: string) => Promise<RequestOutcome>;

interface PlainParts {
  readonly live: LiveSession;
  readonly tree: OwnedTree;
  readonly asking: PlainAsking | undefined;
  /** Somebody wants the session to end, at once when forced. */
  readonly endWanted: (isForced: boolean) => void;
}

interface Opened {
  readonly session: PlainSession;
  readonly socket: Disposable;
}

/** The control socket of a command that runs on the streams of its caller, made while it runs. */
export class PlainDoor implements Disposable {
  readonly #run: PlainRun;
  readonly #live: LiveSession;
  readonly #tree: OwnedTree;
  readonly #checkpoint: Checkpoint;
  readonly #endWanted: (isForced: boolean) => void;
  #timer: ReturnType<typeof setTimeout>;
  #opening: Promise<void> | undefined;
  #opened: Opened | undefined;
  #isDisposed = false;
  #isTold = false;

  readonly #asking: PlainAsking | undefined;

  constructor(run: PlainRun, { live, tree, asking, endWanted }: PlainParts, checkpoint: Checkpoint) {
    this.#run = run;
    this.#tree = tree;
    this.#asking = asking;
    this.#endWanted = endWanted;
    this.#checkpoint = checkpoint;
    this.#live = live;
    this.#timer = setTimeout(() => {
      this.#opening = this.#open();
    }, OPENS_AFTER_MS);
  }

  /** Somebody may be there. */
  get isOpen(): boolean {
    return this.#opening !== undefined;
  }

  progress(line: string): void {
    this.#opened?.session.progress(line);
  }

  /** The last word to every client, and nobody comes in any more. */
  async close(end: SessionEnd): Promise<void> {
    clearTimeout(this.#timer);
    await this.#opening;
    await this.#opened?.session.close(end);
    this[Symbol.dispose]();
  }

  /** Whatever failed before a last word could be said: nobody comes in, and nothing keeps this process. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#isDisposed = true;
    this.#opened?.socket[Symbol.dispose]();
    this.#opened = undefined;
  }

  async #open(): Promise<void> {
    const { context, sessions, names, id } = this.#run;
    const live = this.#live;
    const [sockets, { PlainSession: Session }, { SessionSocket }, { renameSession }] = await Promise.all([
      context.loadSockets(),
      import('../session/plain-session.ts'),
      import('../session/session-socket.ts'),
      import('../session/rename-session.ts'),
    ]);
    if (this.#isDisposed) return;
    const rename = (name: string) => renameSession(live, names, name);
    const session = new Session({
      sessionId: id,
      live,
      ending: this.#tree.ending,
      endWanted: this.#endWanted,
      checkpoint: this.#checkpoint,
      rename,
      approvals: this.#asking?.approvals,
      clock: context.clock,
    });
    try {
      const socket = new SessionSocket({ sockets, sessions, id, accept: (connection) => session.accept(connection) });
      live.alsoBeat(() => socket.ensure());
      this.#opened = { session, socket };
      this.#asking?.canBeReached();
    } catch (error) {
      // The command runs all the same; whoever wants to stop it finds its process in the record.
      if (!(error instanceof SystemError)) throw error;
      if (!this.#isTold) context.notify(`The session cannot be reached by a socket: ${error.message}`);
      this.#isTold = true;
      this.#timer = setTimeout(() => {
        this.#opening = this.#open();
      }, TRIES_AGAIN_AFTER_MS);
    }
  }
}
