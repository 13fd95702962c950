import * as fs from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { bufferFromBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { Connection, ConnectionHandlers, SocketAddress, Sockets } from '../../ports/socket.ts';

const OTHERS_NOTHING = 0o177;
/** A peer that reads nothing is let go after so long. */
const LINGER_MS = 1000;

/**
 * Unix sockets by node:net, for the tests that run under Node. Node cannot ask the kernel who the peer is: only the mode of
 * the socket and of its directory keeps others out, which is why the product does not use this adapter.
 */
export function createNodeSockets(): Sockets {
  return { listen, connect };
}

function listen(address: SocketAddress, onConnection: (connection: Connection) => ConnectionHandlers): Disposable {
  const directory = openDirectory(address);
  const path = pathThrough(directory, address);
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    fs.closeSync(directory);
    throw new SystemError('bind', 'EADDRINUSE', path);
  }
  const server = createServer((socket) => {
    const connection = new NodeConnection(socket);
    connection.follow(onConnection(connection));
  });
  // bind(2) is made before listen() returns; what fails after that has nobody to hear of it.
  server.on('error', () => undefined);
  const earlier = process.umask(OTHERS_NOTHING);
  try {
    server.listen(path);
  } finally {
    process.umask(earlier);
  }
  return {
    [Symbol.dispose]() {
      fs.rmSync(path, { force: true });
      server.close();
      fs.closeSync(directory);
    },
  };
}

function connect(address: SocketAddress, handlers: ConnectionHandlers): Promise<Connection> {
  const directory = openDirectory(address);
  const socket = createConnection(pathThrough(directory, address));
  return new Promise<Connection>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(new SystemError('connect', error.code ?? 'EIO'));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      const connection = new NodeConnection(socket);
      connection.follow(handlers);
      resolve(connection);
    });
  }).finally(() => fs.closeSync(directory));
}

class NodeConnection implements Connection {
  readonly peer = undefined;
  readonly #socket: Socket;
  #isEnding = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  follow({ onData, onDrain, onClose }: ConnectionHandlers): void {
    this.#socket.on('data', (data: Buffer) => onData(data));
    this.#socket.on('drain', () => {
      if (this.#isEnding) this.#linger();
      onDrain();
    });
    let failure: SystemError | undefined;
    this.#socket.on('close', () => {
      clearTimeout(this.#lingering);
      onClose(failure);
    });
    // Without this the other side's end alone would leave the connection half open.
    this.#socket.on('end', () => this.#socket.end());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      const { code, syscall } = error;
      // A side that died with something unread is gone like any other.
      if (code !== undefined && code !== 'ECONNRESET' && code !== 'EPIPE') failure = new SystemError(syscall ?? 'read', code);
      this.#socket.destroy();
    });
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  write(data: Uint8Array): void {
    // Node keeps what the kernel does not take by reference, and the caller may use its memory again.
    if (!this.#isEnding && this.#socket.writable) this.#socket.write(Buffer.from(data));
  }

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#socket.end();
    if (this.#socket.writableLength > 0) this.#linger();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Anew with all that is taken. */
  #linger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.close(), LINGER_MS);
  }
}

/** A socket address holds 108 bytes (unix(7)); the directory's descriptor stands for its path. */
function openDirectory({ directory }: SocketAddress): number {
  return fs.openSync(bufferFromBytes(directory), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
}

function pathThrough(descriptor: number, { name }: SocketAddress): string {
  return `/proc/self/fd/${descriptor}/${name}`;
}
