import type { ProcessTree } from '../ports/process-tree.ts';
import { signalNumber } from '../signal-names.ts';

const SIGKILL = signalNumber('SIGKILL');
const SIGTERM = signalNumber('SIGTERM');
const SIGCONT = signalNumber('SIGCONT');
/** What the command left running gets so long to end by itself. */
const LEFTOVER_GRACE_MS = 500;
/** Between two looks at whether the tree is gone, after SIGKILL: a process in the kernel dies when that call returns. */
const LOOK_AGAIN_MS = 20;

/** Ends the tree of a command: when somebody asks for it, and what is left when the command has ended. */
export class TreeEnding {
  readonly #tree: ProcessTree;
  readonly #gone = Promise.withResolvers<void>();
  #isOver = false;
  #isGone = false;
  #isEnding = false;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(tree: ProcessTree) {
    this.#tree = tree;
  }

  /** Settles when the command has ended and nothing of its tree is left. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** To be called whenever a child has changed. */
  look(): void {
    if (this.#isGone || this.#tree.reap() || !this.#isOver) return;
    this.#isGone = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#gone.resolve();
  }

  /** The command itself has ended, and was waited for. */
  commandEnded(): void {
    this.#isOver = true;
    this.look();
    if (!this.#isGone) this.end(LEFTOVER_GRACE_MS);
  }

  /** SIGTERM to all of the tree, SIGKILL after that time; called again with less time it is sooner over. */
  end(graceMs: number): void {
    this.look();
    if (this.#isGone) return;
    if (graceMs === 0) {
      this.#kill();
      return;
    }
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#tree.signalAll(SIGTERM);
      // A process that is stopped takes the signal only when it goes on.
      this.#tree.signalAll(SIGCONT);
    }
    this.#timers.push(setTimeout(() => this.#kill(), graceMs));
  }

  #kill(): void {
    this.#tree.signalAll(SIGKILL);
    this.look();
    if (!this.#isGone) this.#timers.push(setTimeout(() => this.#kill(), LOOK_AGAIN_MS));
  }
}
