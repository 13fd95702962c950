import type { Bytes } from '../bytes.ts';
import type { SystemError } from '../errors.ts';

/** Who was at the other end when it connected, by the kernel's word. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
}

/** One accepted or made connection. Calls after its end do nothing. */
export interface Connection {
  /** Undefined where the runtime cannot ask the kernel. */
  readonly peer: Peer | undefined;
  /** Accepted with one of the last descriptors that this process may have: it is to be let go soon. */
  readonly isCrowded?: boolean;
  /** Bytes that were written here and not taken by the kernel yet. */
  readonly queuedBytes: number;
  /** Never blocks: what the other side does not take is kept. */
  write(data: Uint8Array): void;
  /** Closes once all that was written is taken, or after a bounded time when the other side takes nothing. */
  end(): void;
  /** Closes now; what is kept is lost. */
  close(): void;
}

/** Called from the loop, one at a time. */
export interface ConnectionHandlers {
  readonly onData: (data: Uint8Array) => void;
  /** All that was kept is taken. */
  readonly onDrain: () => void;
  /** Once, whoever closed it. @param failure Why it could not be used here any more; undefined when the other side has ended it, or died. */
  readonly onClose: (failure?: SystemError) => void;
}

/** Where a socket is. */
export interface SocketAddress {
  /** Absolute path of a directory of nono's own; it may be longer than a socket address. */
  readonly directory: Bytes;
  readonly name: Bytes;
}

/** Stream sockets in the file system. */
export interface Sockets {
  /**
   * Listens with mode 0600. A peer of another uid is closed before anybody hears of it.
   *
   * @param onConnection is told of each peer and gives what handles it.
   * @throws {SystemError} EADDRINUSE when the name exists.
   */
  listen(address: SocketAddress, onConnection: (connection: Connection) => ConnectionHandlers): Disposable;
  /** @throws {SystemError} ENOENT without such a name, ECONNREFUSED when nobody listens there. */
  connect(address: SocketAddress, handlers: ConnectionHandlers): Promise<Connection>;
}
