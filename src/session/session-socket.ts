import { SystemError } from '../errors.ts';
import { nextTurn } from '../next-turn.ts';
import type { Directory } from '../ports/files.ts';
import type { Connection, ConnectionHandlers, Sockets } from '../ports/socket.ts';
import { socketName } from './client.ts';
import { removeUnlessMissing } from './remove-file.ts';

export interface SessionSocketDeps {
  readonly sockets: Sockets;
  readonly sessions: Directory;
  readonly id: string;
  readonly accept: (connection: Connection) => ConnectionHandlers;
}

/** The control socket under its name, for as long as the session lives. */
export class SessionSocket implements Disposable {
  readonly #deps: SessionSocketDeps;
  #listening: Disposable;
  #inode: bigint | undefined;
  #isReplacing = false;
  #isDisposed = false;

  /** @throws {SystemError} */
  constructor(deps: SessionSocketDeps) {
    this.#deps = deps;
    this.#listening = this.#listen();
  }

  /** Listens again where somebody has removed the name, as cleaners of old files do. Connections that are open stay. */
  ensure(): void {
    if (this.#isReplacing || this.#isThere()) return;
    this.#isReplacing = true;
    void this.#replaceSoon();
  }

  #isThere(): boolean {
    const { sessions, id } = this.#deps;
    return this.#inode !== undefined && sessions.stat(socketName(id))?.inode === this.#inode;
  }

  /** Who connected before the name was gone, and has not been accepted yet, is closed with what was listened on: each turn of the loop accepts them all. */
  async #replaceSoon(): Promise<void> {
    await nextTurn();
    // What is ready is looked at between two turns.
    await nextTurn();
    this.#isReplacing = false;
    if (!this.#isDisposed) this.#replace();
  }

  #replace(): void {
    const { sessions, id } = this.#deps;
    // Before there is a new one: the runtime removes the name with what it stops to listen on, whosever it is by then.
    this.#listening[Symbol.dispose]();
    this.#inode = undefined;
    try {
      removeUnlessMissing(sessions, socketName(id));
      this.#listening = this.#listen();
    } catch (error) {
      // No room for a name, or its directory is gone too: the next heartbeat tries again.
      if (!(error instanceof SystemError)) throw error;
    }
  }

  #listen(): Disposable {
    const { sockets, sessions, id, accept } = this.#deps;
    try {
      const listening = sockets.listen({ directory: sessions.path, name: socketName(id) }, accept);
      this.#inode = sessions.stat(socketName(id))?.inode;
      return listening;
    } catch (error) {
      // A name that nobody listens behind would stand in the way of the next try.
      removeUnlessMissing(sessions, socketName(id));
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#listening[Symbol.dispose]();
  }
}
