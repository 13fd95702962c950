import type { Bytes } from '../bytes.ts';
import type { Connection, SocketAddress, Sockets } from '../ports/socket.ts';
import type { ControlRequest } from './control-requests.ts';
import {
  type ClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  type RefusalCode,
  type ServerMessage,
  type SessionEnd,
} from './messages.ts';
import { FrameDecoder } from './protocol.ts';

/** Requests carry no terminal; the protocol wants a size in every hello. */
const NO_TERMINAL = { columns: 80, rows: 24 };

export type Answer =
  | {
      readonly isDone: true;
      readonly changed: boolean;
      readonly status: string;
      readonly attachment: string;
      /** What was asked for; empty for most. */
      readonly content: Uint8Array;
      readonly snapshot?: number | undefined;
    }
  | { readonly isDone: false; readonly code: RefusalCode; readonly message: string };

/** The socket's name beside the record. */
export function socketName(id: string): Bytes {
  return `${id}.sock` as Bytes;
}

/** A connection to a supervisor. */
export interface Link {
  readonly send: (message: ClientMessage) => void;
  readonly connection: Connection;
  /** False while a part of a message has come. */
  readonly isBetweenFrames: () => boolean;
}

/** Connects and gives each message to `onMessage`; `onClose` comes once, at the end. */
export async function connectClient(
  sockets: Sockets,
  address: SocketAddress,
  handlers: { readonly onMessage: (message: ServerMessage) => void; readonly onClose: () => void },
): Promise<Link> {
  const decoder = new FrameDecoder();
  const connection = await sockets.connect(address, {
    onData(data) {
      for (const frame of decoder.push(data)) handlers.onMessage(decodeServerMessage(frame));
    },
    onDrain: () => undefined,
    onClose: () => handlers.onClose(),
  });
  return {
    connection,
    send: (message) => connection.write(encodeClientMessage(message)),
    isBetweenFrames: () => decoder.isBetweenFrames,
  };
}

/** Asks things of a supervisor and hears of the end of its session. */
export class ControlClient implements Disposable {
  readonly #send: (message: ClientMessage) => void;
  readonly #connection: Connection;
  readonly #waiting: ((answer: Answer | undefined) => void)[] = [];
  /** The end of the session; undefined when the supervisor went away without a word. */
  readonly ended: Promise<SessionEnd | undefined>;

  private constructor(
    send: (message: ClientMessage) => void,
    connection: Connection,
    ended: Promise<SessionEnd | undefined>,
    waiting: ((answer: Answer | undefined) => void)[],
  ) {
    this.#send = send;
    this.#connection = connection;
    this.ended = ended;
    this.#waiting = waiting;
  }

  /** @throws {SystemError} when nobody listens. */
  static async connect(
    sockets: Sockets,
    address: SocketAddress,
    onProgress: (line: string) => void = () => undefined,
    onOutput: (data: Uint8Array) => void = () => undefined,
  ): Promise<ControlClient> {
    const { promise, resolve } = Promise.withResolvers<SessionEnd | undefined>();
    const waiting: ((answer: Answer | undefined) => void)[] = [];
    let content: Uint8Array[] = [];
    const { connection, send } = await connectClient(sockets, address, {
      onMessage(message) {
        if (message.kind === 'exit') resolve(message.end);
        else if (message.kind === 'progress') onProgress(message.message);
        else if (message.kind === 'output') onOutput(message.data);
        else if (message.kind === 'content') content.push(message.data);
        else if (message.kind === 'answer') {
          waiting.shift()?.({ isDone: true, ...message, content: Buffer.concat(content) });
          content = [];
        }
        if (message.kind === 'error') waiting.shift()?.({ isDone: false, ...message });
      },
      onClose() {
        resolve(undefined);
        for (const tell of waiting.splice(0)) tell(undefined);
      },
    });
    send({ kind: 'hello', mode: 'control', size: NO_TERMINAL, terminal: '', capabilities: [] });
    return new ControlClient(send, connection, promise, waiting);
  }

  /** @returns undefined when the session ended before it answered. */
  request(request: ControlRequest): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#waiting.push(resolve);
    this.#send({ kind: 'request', request });
    return promise;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
