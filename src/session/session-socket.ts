import { SystemError } from '../errors.ts';
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

  /** @throws {SystemError} */
  constructor(deps: SessionSocketDeps) {
    this.#deps = deps;
    this.#listening = this.#listen();
  }

  /** Listens again where somebody has removed the name, as cleaners of old files do. Connections that are open stay. */
  ensure(): void {
    const { sessions, id } = this.#deps;
    if (this.#inode !== undefined && sessions.stat(socketName(id))?.inode === this.#inode) return;
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
    this.#listening[Symbol.dispose]();
  }
}
