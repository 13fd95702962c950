import type { TerminalSize } from '../ports/pty.ts';
import type { Connection, ConnectionHandlers } from '../ports/socket.ts';
import type { Actor, AuditEvent, DetachReason } from './audit-event.ts';
import {
  type ClientMessage,
  type ControlRequest,
  decodeClientMessage,
  encodeServerMessage,
  type RefusalCode,
  type ServerMessage,
  type SessionEnd,
} from './messages.ts';
import { FrameDecoder, ProtocolError } from './protocol.ts';

/**
 * What is kept for a client that does not read; past it the client misses output, and the program is asked to draw itself
 * when it is back. Large, because a program that only prints cannot give again what was missed.
 */
const QUEUE_BYTES_MAXIMUM = 96 * 1024 * 1024;
/** The PTY gives less at a time; a frame holds more. */
const OUTPUT_PIECE_BYTES = 128 * 1024;
/** A connection that says nothing is no client. */
const HELLO_TIMEOUT_MS = 10_000;

type ClientRole = 'new' | 'interactive' | 'viewer' | 'control' | 'gone';

interface Client {
  readonly connection: Connection;
  role: ClientRole;
  /** It missed output since its queue was full. */
  isBehind: boolean;
  /** Answers go out in the order of the requests. */
  answered: Promise<void>;
}

/** What a request did: the answer, or why not. */
export type RequestOutcome =
  | { readonly isDone: true; readonly changed: boolean }
  | { readonly isDone: false; readonly code: RefusalCode; readonly message: string };

/** The session behind the clients. */
export interface HubHost {
  readonly sessionId: string;
  readonly name: () => string;
  readonly status: () => string;
  readonly type: (data: Uint8Array) => void;
  readonly resize: (size: TerminalSize) => void;
  /** A client came, or it missed output: the program is asked to draw itself anew. */
  readonly redraw: (client: 'interactive' | 'viewer') => void;
  readonly request: (request: ControlRequest, actor: Actor) => RequestOutcome | Promise<RequestOutcome>;
  readonly audit: (event: AuditEvent) => void;
  readonly attachmentChanged: (isAttached: boolean) => void;
}

/** Joins the clients of one session to it. None of them can delay it: what one does not read is dropped for that one. */
export class Hub {
  readonly #host: HubHost;
  readonly #clients = new Set<Client>();
  /** Also those that are leaving. */
  readonly #connections = new Set<Connection>();
  #onIdle: () => void = () => undefined;
  #end: SessionEnd | undefined;

  constructor(host: HubHost) {
    this.#host = host;
  }

  get isAttached(): boolean {
    return this.#interactive() !== undefined;
  }

  /** A new connection, whose uid was checked. */
  accept(connection: Connection): ConnectionHandlers {
    const client: Client = { connection, role: 'new', isBehind: false, answered: Promise.resolve() };
    this.#clients.add(client);
    this.#connections.add(connection);
    const decoder = new FrameDecoder();
    const timer = setTimeout(() => {
      if (client.role === 'new') this.#refuse(client, 'protocol', 'no hello came');
    }, HELLO_TIMEOUT_MS);
    return {
      onData: (data) => this.#receive(client, decoder, data),
      onDrain: () => this.#caughtUp(client),
      onClose: () => {
        clearTimeout(timer);
        this.#remove(client, 'gone');
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onIdle();
      },
    };
  }

  /** What the command wrote. */
  output(data: Uint8Array): void {
    const watching = [...this.#clients].filter(({ role }) => role === 'interactive' || role === 'viewer');
    if (watching.length === 0) return;
    for (let at = 0; at < data.length; at += OUTPUT_PIECE_BYTES) {
      const frame = encodeServerMessage({ kind: 'output', data: data.subarray(at, at + OUTPUT_PIECE_BYTES) });
      for (const client of watching) {
        client.isBehind ||= client.connection.queuedBytes > QUEUE_BYTES_MAXIMUM;
        if (!client.isBehind) client.connection.write(frame);
      }
    }
  }

  /** The command was stopped from the keyboard: the shell around the client gets its prompt. */
  stopped(): void {
    const client = this.#interactive();
    if (client !== undefined) send(client, { kind: 'stopped' });
  }

  progress(message: string): void {
    for (const client of this.#clients) if (client.role !== 'new') send(client, { kind: 'progress', message });
  }

  /** @returns false when nobody was attached. */
  detach(): boolean {
    const client = this.#interactive();
    if (client !== undefined) this.#leave(client, { reason: 'detached' }, 'dropped');
    return client !== undefined;
  }

  /** The session is over; whoever comes now is told at once. Settles when every client has got all or is given up. */
  async end(end: SessionEnd): Promise<void> {
    this.#end = end;
    for (const client of this.#clients) this.#leave(client, end, 'ended');
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  #interactive(): Client | undefined {
    return [...this.#clients].find(({ role }) => role === 'interactive');
  }

  #receive(client: Client, decoder: FrameDecoder, data: Uint8Array): void {
    try {
      for (const frame of decoder.push(data)) {
        if (client.role === 'gone') return;
        this.#handle(client, decodeClientMessage(frame));
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(client, 'protocol', error.message);
    }
  }

  #handle(client: Client, message: ClientMessage): void {
    if (message.kind === 'hello') {
      if (client.role !== 'new') throw new ProtocolError('a second hello');
      this.#welcome(client, message);
    } else if (message.kind === 'detach') {
      this.#leave(client, { reason: 'detached' }, 'asked');
    } else if (message.kind === 'request') {
      if (client.role !== 'control') throw new ProtocolError('a request without the mode control');
      const { request } = message;
      client.answered = client.answered.then(() => this.#answer(client, request));
    } else {
      if (client.role !== 'interactive') throw new ProtocolError('input without the mode attach');
      if (message.kind === 'data') this.#host.type(message.data);
      else this.#host.resize(message.size);
    }
  }

  #welcome(client: Client, { mode, size, terminal }: Extract<ClientMessage, { kind: 'hello' }>): void {
    const holder = this.#interactive();
    if (mode === 'attach' && holder !== undefined) {
      this.#refuse(client, 'busy', 'already attached');
      return;
    }
    const { sessionId, name, status } = this.#host;
    send(client, { kind: 'welcome', sessionId, name: name(), status: status() });
    if (this.#end !== undefined) {
      this.#leave(client, this.#end, 'ended');
    } else if (mode === 'control') {
      client.role = 'control';
    } else if (mode === 'view') {
      client.role = 'viewer';
      this.#host.audit({ event: 'attach', mode, terminal, ...actorOf(client) });
      this.#host.redraw('viewer');
    } else {
      if (holder === undefined) this.#host.audit({ event: 'attach', mode: 'attach', terminal, ...actorOf(client) });
      else this.#host.audit({ event: 'steal', from_pid: actorOf(holder).pid, terminal, ...actorOf(client) });
      if (holder !== undefined) this.#leave(holder, { reason: 'stolen' }, 'stolen');
      client.role = 'interactive';
      this.#host.attachmentChanged(true);
      this.#host.resize(size);
      this.#host.redraw('interactive');
    }
  }

  async #answer(client: Client, request: ControlRequest): Promise<void> {
    if (client.role === 'gone') return;
    const outcome = await this.#host.request(request, actorOf(client));
    const attachment = this.isAttached ? 'attached' : 'detached';
    if (outcome.isDone) send(client, { kind: 'answer', status: this.#host.status(), attachment, changed: outcome.changed });
    else send(client, { kind: 'error', code: outcome.code, message: outcome.message });
  }

  #caughtUp(client: Client): void {
    if (!client.isBehind) return;
    client.isBehind = false;
    if (client.role === 'interactive' || client.role === 'viewer') this.#host.redraw(client.role);
  }

  #refuse(client: Client, code: RefusalCode, message: string): void {
    if (client.role === 'gone') return;
    send(client, { kind: 'error', code, message });
    this.#remove(client, 'gone');
    client.connection.end();
  }

  #leave(client: Client, end: SessionEnd, reason: DetachReason): void {
    if (client.role === 'gone') return;
    send(client, { kind: 'exit', end });
    this.#remove(client, reason);
    client.connection.end();
  }

  #remove(client: Client, reason: DetachReason): void {
    const wasInteractive = client.role === 'interactive';
    if (wasInteractive || client.role === 'viewer') {
      const mode = wasInteractive ? 'attach' : 'view';
      this.#host.audit({ event: 'detach', mode, reason, ...actorOf(client) });
    }
    client.role = 'gone';
    this.#clients.delete(client);
    if (wasInteractive) this.#host.attachmentChanged(false);
  }
}

function send({ connection }: Client, message: ServerMessage): void {
  connection.write(encodeServerMessage(message));
}

function actorOf({ connection: { peer } }: Client): Actor {
  return { pid: peer?.pid ?? null, uid: peer?.uid ?? null };
}
