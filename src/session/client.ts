import type { Bytes } from '../bytes.ts';
import type { SystemError } from '../errors.ts';
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
  handlers: { readonly onMessage: (message: ServerMessage) => void; readonly onClose: (failure?: SystemError) => void },
): Promise<Link> {
  const decoder = new FrameDecoder();
  const connection = await sockets.connect(address, {
    onData(data) {
      for (const frame of decoder.push(data)) handlers.onMessage(decodeServerMessage(frame));
    },
    onDrain: () => undefined,
    onClose: (failure) => handlers.onClose(failure),
  });
  return {
    connection,
    send: (message) => connection.write(encodeClientMessage(message)),
    isBetweenFrames: () => decoder.isBetweenFrames,
  };
}

type Waiting = PromiseWithResolvers<Answer | undefined>;

/** Asks things of a supervisor and hears of the end of its session. */
export class ControlClient implements Disposable {
  readonly #send: (message: ClientMessage) => void;
  readonly #connection: Connection;
  readonly #waiting: Waiting[] = [];
  /** The end of the session; undefined when the connection ended without a word of it. */
  readonly ended: Promise<SessionEnd | undefined>;
  readonly #failed: { failure?: SystemError };

  private constructor(
    { send, connection }: Link,
    ended: Promise<SessionEnd | undefined>,
    waiting: Waiting[],
    failed: { failure?: SystemError },
  ) {
    this.#send = send;
    this.#connection = connection;
    this.ended = ended;
    this.#waiting = waiting;
    this.#failed = failed;
  }

  /** Why nothing more was heard, when that was this side's: the session may well go on. */
  get failure(): SystemError | undefined {
    return this.#failed.failure;
  }

  /** @throws {SystemError} when nobody listens. */
  static async connect(
    sockets: Sockets,
    address: SocketAddress,
    onProgress: (line: string) => void = () => undefined,
    onOutput: (data: Uint8Array) => void = () => undefined,
  ): Promise<ControlClient> {
    const { promise, resolve } = Promise.withResolvers<SessionEnd | undefined>();
    const waiting: Waiting[] = [];
    let content: Uint8Array[] = [];
    const failed: { failure?: SystemError } = {};
    const link = await connectClient(sockets, address, {
      onMessage(message) {
        if (message.kind === 'exit') resolve(message.end);
        else if (message.kind === 'progress') onProgress(message.message);
        else if (message.kind === 'output') onOutput(message.data);
        else if (message.kind === 'content') content.push(message.data);
        else if (message.kind === 'answer') {
          waiting.shift()?.resolve({ isDone: true, ...message, content: Buffer.concat(content) });
          content = [];
        }
        if (message.kind === 'error') waiting.shift()?.resolve({ isDone: false, ...message });
      },
      onClose(failure) {
        if (failure !== undefined) failed.failure = failure;
        resolve(undefined);
        for (const asked of waiting.splice(0)) {
          if (failure === undefined) asked.resolve(undefined);
          else asked.reject(failure);
        }
      },
    });
    link.send({ kind: 'hello', mode: 'control', size: NO_TERMINAL, terminal: '', capabilities: [] });
    return new ControlClient(link, promise, waiting, failed);
  }

  /** @returns undefined when the session ended before it answered. @throws {SystemError} by rejecting when the answer could not be read here. */
  request(request: ControlRequest): Promise<Answer | undefined> {
    const asked: Waiting = Promise.withResolvers();
    this.#waiting.push(asked);
    this.#send({ kind: 'request', request });
    return asked.promise;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}
