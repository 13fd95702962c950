import type { Socket } from 'bun';
import { cString, textFromBytes } from '../../bytes.ts';
import { isErrno, SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { Connection, ConnectionHandlers, Peer, SocketAddress, Sockets } from '../../ports/socket.ts';
import { descriptorLimits, SELF } from '../linux/descriptor-limits.ts';
import type { Borrower, Lender, LentSocket } from '../linux/relay/lent-socket.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from '../linux/syscalls.ts';
import * as uapi from '../linux/uapi.ts';

/** include/uapi/asm-generic/socket.h */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid, gid. */
const CREDENTIALS_BYTES = 12;
const UID_AT = 4;
const OTHERS_NOTHING = 0o177;
/** sun_path without its final NUL (unix(7)). */
const ADDRESS_BYTES_MAXIMUM = 107;
/** Kept free of connections, of what is free when it begins to listen. */
const RESERVED_DESCRIPTORS = 16;
const RESERVED_SHARE = 4;
/** With fewer that are free a session would come to its end when somebody attaches. */
const WANTED_DESCRIPTORS = 24;
/** A peer that reads nothing is let go after so long. */
const LINGER_MS = 1000;

interface State {
  isClosed?: boolean;
  connection: BunConnection | undefined;
  handlers: ConnectionHandlers | undefined;
}

/** Unix sockets by Bun.listen and Bun.connect; long paths by way of /proc/self/fd. */
export function createBunSockets(): Sockets {
  return { listen, connect };
}

function listen(address: SocketAddress, onConnection: (connection: Connection) => ConnectionHandlers): Disposable {
  const uid = process.getuid?.() ?? 0;
  const directory = openDirectory(address);
  const earlier = process.umask(OTHERS_NOTHING);
  try {
    const crowdedFrom = firstReserved(directory);
    const listener = Bun.listen<State>({
      unix: pathThrough(directory, address),
      socket: {
        ...events,
        open(socket) {
          socket.data = { connection: undefined, handlers: undefined };
          const peer = peerOf(socket);
          if (peer?.uid !== uid) {
            socket.terminate();
            return;
          }
          const connection = new BunConnection(socket, peer, descriptorOf(socket) >= crowdedFrom);
          socket.data.connection = connection;
          const handlers = onConnection(connection);
          // Ended by whoever was told of it.
          if (socket.data.isClosed === true) handlers.onClose();
          else socket.data.handlers = handlers;
        },
      },
    });
    return {
      [Symbol.dispose]() {
        listener.stop(false);
        trySyscall('close', directory);
      },
    };
  } catch (error) {
    trySyscall('close', directory);
    // Of a socket(2) that failed the runtime tells no errno. It is want of descriptors or memory, so that later is another matter.
    if (isUnexplained(error)) throw new SystemError('socket', 'EAGAIN');
    throw asSystemError('bind', error);
  } finally {
    process.umask(earlier);
  }
}

/**
 * The kernel gives the lowest number that is free. Where it has none left for a connection, the runtime asks again and again without a pause: it must not come
 * to that while one can be let go.
 *
 * @param lowest A number that is free, or was just now. @throws {SystemError} EMFILE where a session has no room at all.
 */
function firstReserved(lowest: number): number {
  const limit = descriptorLimits(SELF)?.soft ?? 0;
  if (limit - lowest < WANTED_DESCRIPTORS) throw new SystemError('listen', 'EMFILE');
  return limit - Math.min(RESERVED_DESCRIPTORS, Math.ceil((limit - lowest) / RESERVED_SHARE));
}

async function connect(address: SocketAddress, handlers: ConnectionHandlers): Promise<Connection> {
  const directory = openDirectory(address);
  try {
    const socket = await connectTo(pathThrough(directory, address), handlers).catch(async (error: unknown) => {
      // Inside another nono, which connects on our behalf, follows no such link, and for the runtime that is a refusal.
      const path = textFromBytes(joinPath(address.directory, address.name));
      if (!isRefused(error) || Buffer.byteLength(path) > ADDRESS_BYTES_MAXIMUM) throw error;
      return await connectTo(path, handlers);
    });
    const connection = new BunConnection(socket, peerOf(socket));
    socket.data.connection = connection;
    return connection;
  } catch (error) {
    throw asSystemError('connect', error);
  } finally {
    trySyscall('close', directory);
  }
}

function connectTo(path: string, handlers: ConnectionHandlers): Promise<Socket<State>> {
  return Bun.connect<State>({ unix: path, data: { connection: undefined, handlers }, socket: events });
}

function isUnexplained(error: unknown): boolean {
  return error instanceof Error && !('code' in error) && error.message.startsWith('Failed to listen');
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

const events = {
  binaryType: 'uint8array' as const,
  data(socket: Socket<State>, data: Uint8Array) {
    socket.data.handlers?.onData(data);
  },
  drain(socket: Socket<State>) {
    const { connection, handlers } = socket.data;
    if (connection?.flush() === true) handlers?.onDrain();
  },
  close(socket: Socket<State>, error?: Error) {
    const { connection, handlers } = socket.data;
    connection?.closed();
    socket.data.isClosed = true;
    socket.data.handlers = undefined;
    handlers?.onClose(failureOf(error));
  },
  error(socket: Socket<State>) {
    socket.terminate();
  },
};

class BunConnection implements Connection, Lender {
  readonly #socket: Socket<State>;
  #kept: Uint8Array[] = [];
  #isEnding = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #borrower: Borrower | undefined;
  queuedBytes = 0;
  readonly peer: Peer | undefined;
  readonly isCrowded: boolean;

  constructor(socket: Socket<State>, peer: Peer | undefined, isCrowded = false) {
    this.#socket = socket;
    this.peer = peer;
    this.isCrowded = isCrowded;
  }

  write(data: Uint8Array): void {
    if (this.#isEnding) return;
    const pending = this.#borrower?.takePending();
    if (pending !== undefined && pending.length > 0) this.#write(pending);
    this.#write(data);
  }

  end(): void {
    if (this.#isEnding) return;
    this.#takeBack(false);
    this.#isEnding = true;
    if (this.queuedBytes === 0) this.#socket.end();
    else this.#linger();
  }

  close(): void {
    this.#takeBack(false);
    clearTimeout(this.#lingering);
    this.#kept = [];
    this.queuedBytes = 0;
    if (this.#socket.readyState > 0) this.#socket.terminate();
  }

  /** The other side is gone. */
  closed(): void {
    this.#takeBack(true);
  }

  /** Until it is given back, the runtime does not read it. */
  lend(borrower: Borrower): LentSocket | undefined {
    const { readyState, data } = this.#socket;
    if (this.#isEnding || this.#borrower !== undefined || readyState <= 0) return undefined;
    this.#borrower = borrower;
    this.#socket.pause();
    return {
      descriptor: descriptorOf(this.#socket),
      peerPid: this.peer?.pid,
      queuedBytes: () => this.queuedBytes,
      onData: (bytes) => data.handlers?.onData(bytes),
      onEnd: () => this.close(),
      write: (bytes) => this.#write(bytes),
      release: () => {
        if (this.#borrower !== borrower) return;
        this.#borrower = undefined;
        if (this.#socket.readyState > 0) this.#socket.resume();
      },
    };
  }

  #takeBack(hasEnded: boolean): void {
    const borrower = this.#borrower;
    this.#borrower = undefined;
    borrower?.giveBack(hasEnded);
    if (borrower !== undefined && this.#socket.readyState > 0) this.#socket.resume();
  }

  #write(data: Uint8Array): void {
    if (data.length === 0 || this.#socket.readyState <= 0) return;
    const written = this.queuedBytes > 0 ? 0 : Math.max(0, this.#socket.write(data));
    if (written === data.length) return;
    this.#kept.push(data.slice(written));
    this.queuedBytes += data.length - written;
  }

  /** Anew with all that is taken: a slow reader gets everything, and one that is stopped holds nobody up for long. */
  #linger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.close(), LINGER_MS);
  }

  /** @returns whether nothing is kept any more. */
  flush(): boolean {
    if (this.#isEnding) this.#linger();
    while (this.#kept.length > 0) {
      const first = this.#kept[0] ?? new Uint8Array();
      const written = Math.max(0, this.#socket.write(first));
      this.queuedBytes -= written;
      if (written < first.length) {
        this.#kept[0] = first.subarray(written);
        return false;
      }
      this.#kept.shift();
    }
    clearTimeout(this.#lingering);
    if (this.#isEnding) this.#socket.end();
    return true;
  }
}

/** The kernel's word for who was at the other end when it connected (unix(7)). */
function peerOf(socket: Socket<State>): Peer | undefined {
  const descriptor = descriptorOf(socket);
  const credentials = fixedBuffer(CREDENTIALS_BYTES);
  const length = fixedBuffer(4);
  new DataView(length.buffer).setUint32(0, CREDENTIALS_BYTES, true);
  const result = trySyscall('getsockopt', descriptor, SOL_SOCKET, SO_PEERCRED, addressOf(credentials), addressOf(length));
  if (result < 0) return undefined;
  const view = new DataView(credentials.buffer);
  return { pid: view.getInt32(0, true), uid: view.getUint32(UID_AT, true) };
}

function descriptorOf(socket: Socket<State>): number {
  return 'fd' in socket && typeof socket.fd === 'number' ? socket.fd : -1;
}

/** A socket address holds 108 bytes (unix(7)); the directory's descriptor stands for its path. */
function openDirectory({ directory }: SocketAddress): number {
  const path = cString(directory);
  return syscall('openat', uapi.AT_FDCWD, addressOf(path), uapi.O_PATH | uapi.O_DIRECTORY | uapi.O_CLOEXEC);
}

function pathThrough(descriptor: number, { name }: SocketAddress): string {
  return `/proc/self/fd/${descriptor}/${name}`;
}

/** A side that died with something unread is gone like any other. */
function failureOf(error: unknown): SystemError | undefined {
  const failure = asSystemError('recvfrom', error);
  return failure instanceof SystemError && !isErrno(failure, 'ECONNRESET', 'EPIPE') ? failure : undefined;
}

function asSystemError(call: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  return new SystemError(call, error.code);
}
