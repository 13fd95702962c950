import type { KeepTree, ProcessTree } from '../ports/process-tree.ts';
import type { LaunchedProcess } from '../ports/spawn.ts';
import { TreeEnding } from './tree-ending.ts';

/** The tree of a command that this process starts and waits for itself. */
export class OwnedTree implements Disposable {
  readonly #tree: ProcessTree;
  readonly ending: TreeEnding;
  #owned: LaunchedProcess | undefined;

  /** Before anything is started: what was started earlier does not belong to it. */
  constructor(keepTree: KeepTree) {
    this.#tree = keepTree(() => this.#owned?.pid);
    this.ending = new TreeEnding(this.#tree);
  }

  /** The command. */
  own(started: LaunchedProcess): LaunchedProcess {
    this.#owned = started;
    return started;
  }

  /** To be called whenever a child has changed. */
  look(): void {
    this.#owned?.look();
    this.ending.look();
  }

  /** It was waited for: what is left of its tree is ended. */
  commandEnded(): void {
    this.#owned = undefined;
    this.ending.commandEnded();
  }

  /** Nothing of it is left: what stood by is let go while there is something else to do. */
  over(): void {
    this.#tree.over();
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }
}
