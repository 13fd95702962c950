import { describeFailure, NonoError, SystemError } from '../errors.ts';
import type { Connection } from '../ports/socket.ts';
import type { RequestOutcome } from './hub-host.ts';
import { ProtocolError } from './protocol.ts';

/** Of requests that wait. */
const BYTES_MAXIMUM = 1024 * 1024;

/** The requests of one client: answered in their order, and none before it has read the answer to the one before, which may be all of the log. */
export class RequestLine {
  readonly #connection: Pick<Connection, 'queuedBytes'>;
  #last: Promise<void> = Promise.resolve();
  #bytes = 0;
  #onRoom: () => void = () => undefined;

  constructor(connection: Pick<Connection, 'queuedBytes'>) {
    this.#connection = connection;
  }

  /**
   * @param bytes What the request takes.
   * @param answer Never rejects.
   * @throws {ProtocolError} when too many wait.
   */
  add(bytes: number, answer: () => Promise<void>): void {
    this.#bytes += bytes;
    if (this.#bytes > BYTES_MAXIMUM) throw new ProtocolError('more requests than answers were read');
    this.#last = this.#next(this.#last, bytes, answer);
  }

  async #next(last: Promise<void>, bytes: number, answer: () => Promise<void>): Promise<void> {
    await last;
    if (this.#connection.queuedBytes > 0) await new Promise<void>((resolve) => (this.#onRoom = resolve));
    await answer();
    this.#bytes -= bytes;
  }

  /** The client has read all, or has gone. */
  drained(): void {
    this.#onRoom();
  }
}

/** What one request runs into is said to whoever made it, be it a mistake of nono's own: it costs nobody the session. */
export async function outcomeOf(request: () => RequestOutcome | Promise<RequestOutcome>): Promise<RequestOutcome> {
  try {
    return await request();
  } catch (error) {
    const isKnown = error instanceof SystemError || error instanceof NonoError;
    return { isDone: false, code: 'failed', message: isKnown ? error.message : describeFailure(error).text };
  }
}
