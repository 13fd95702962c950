/** All processes that descend from this one, whatever they called to get away. */
export interface ProcessTree extends Disposable {
  /** Sends a signal by number to every process of the tree but this one. */
  signalAll(signal: number): void;
  /** Reaps what its own parent left behind. @returns whether any child is left, dead or alive. */
  reap(): boolean;
  /** The tree has ended: whatever stood by to end it goes, and nobody waits for that. */
  over(): void;
  /** The same, and it is waited for. */
  [Symbol.dispose](): void;
}

/**
 * Makes this process the keeper of all that it starts from now on: what is left behind by its parent becomes its child,
 * and where the kernel can, the tree is ended when this process is killed.
 *
 * @param ownedPid A child that somebody else here waits for; undefined once that is done.
 */
export type KeepTree = (ownedPid: () => number | undefined) => ProcessTree;
