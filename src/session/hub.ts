import type { TerminalSize } from '../ports/pty.ts';
import type { Connection, ConnectionHandlers } from '../ports/socket.ts';
import { withinTime } from '../within-time.ts';
import { AttachedPrompt } from './attached-prompt.ts';
import { type ClientRole, isAttachedAs } from './attachment.ts';
import type { DetachReason } from './audit-event.ts';
import type { ControlRequest } from './control-requests.ts';
import type { Display } from './display.ts';
import { Displays } from './displays.ts';
import { actorOf, type Client, send, sessionFences, step } from './hub-client.ts';
import type { HubHost } from './hub-host.ts';
import { lastSizes } from './last-sizes.ts';
import { type ClientMessage, DIRECT, type RefusalCode, type SessionEnd } from './messages.ts';
import { FrameDecoder, ProtocolError } from './protocol.ts';
import { outcomeOf, RequestLine } from './request-line.ts';
import type { SessionScreen } from './screen.ts';
import { sendPieces } from './send-pieces.ts';
import { isSameSize } from './terminal-size.ts';

/** A connection that says nothing is no client. */
const HELLO_TIMEOUT_MS = 10_000;
/** The loop draws sooner without a way beside it. */
const JOIN_AFTER_MS = 50;
/** Whoever is shown the end of a session waits no longer for it: what a model takes minutes for is in the log. */
const FINISH_MS = 30_000;

/** Joins the clients of one session to it. None of them can delay it: what one does not read is dropped for that one. */
export class Hub {
  readonly #host: HubHost;
  readonly #screen: SessionScreen;
  readonly displays: Displays;
  readonly #clients = new Set<Client>();
  /** Also those that are leaving. */
  readonly #connections = new Set<Connection>();
  #onIdle: () => void = () => undefined;
  /** What may pass is looked at when everything else is done. */
  #isOpening = false;
  #end: SessionEnd | undefined;
  readonly #asking: AttachedPrompt;
  /** Of the terminal that is attached. */
  #size: TerminalSize = { columns: 80, rows: 24 };

  constructor(host: HubHost, screen: SessionScreen) {
    this.#host = host;
    this.#screen = screen;
    this.displays = new Displays(screen, {
      describe: (size) => this.#describe(size),
      nowMs: host.nowMs,
      settle: () => this.#settle(),
    });
    this.#asking = new AttachedPrompt(this.displays, {
      questions: host.questions,
      nowMs: host.nowMs,
      size: () => this.#size,
      decide: (number, decision) => {
        const client = this.#holder();
        if (client !== undefined) host.decide(number, decision, actorOf(client));
      },
      propose: host.propose,
      decideForGood: async (number, shownFile) => {
        const client = this.#holder();
        if (client !== undefined) await host.decideForGood(number, shownFile, actorOf(client));
      },
      forward: (display, data) => this.#type(display, data),
    });
  }

  get isAttached(): boolean {
    return this.#holder() !== undefined;
  }

  /** A new connection, whose uid was checked. */
  accept(connection: Connection): ConnectionHandlers {
    const decoder = new FrameDecoder();
    const client: Client = {
      connection,
      decoder,
      shortcut: undefined,
      fences: undefined,
      role: 'new',
      display: undefined,
      requests: new RequestLine(connection),
    };
    this.#clients.add(client);
    this.#connections.add(connection);
    const timer = setTimeout(() => {
      if (client.role === 'new') this.#refuse(client, 'protocol', 'no hello came');
    }, HELLO_TIMEOUT_MS);
    if (connection.isCrowded === true)
      this.#refuse(client, 'refused', 'it has no descriptors left for one more client (ulimit -n)');
    return {
      onData: (data) => this.#receive(client, data),
      onDrain: () => {
        client.requests.drained();
        if (client.display !== undefined) this.displays.caughtUp(client.display);
      },
      onClose: () => {
        clearTimeout(timer);
        this.#settle();
        this.#remove(client, 'gone');
        client.requests.drained();
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onIdle();
      },
    };
  }

  /** What the command wrote. @param isPassed The client that types has got it. */
  output(data: Uint8Array, isPassed: boolean): void {
    this.displays.output(data, isPassed ? this.#holder()?.display : undefined);
  }

  /** What waits for an answer has changed. */
  questionsChanged(): void {
    this.#settle();
    this.#asking.changed();
  }

  /** The command was stopped from the keyboard: the shell around the client gets its prompt. */
  stopped(): void {
    this.#settle();
    const client = this.#holder();
    if (client === undefined) return;
    step(client, 'stopped');
    send(client, { kind: 'stopped' });
    if (client.display !== undefined) this.displays.suspend(client.display);
  }

  progress(message: string): void {
    for (const client of this.#clients) if (client.role !== 'new') send(client, { kind: 'progress', message });
  }

  /** @returns false when nobody was attached. */
  detach(): boolean {
    this.#settle();
    const client = this.#holder();
    if (client !== undefined) this.#leave(client, this.#away('detached', client), 'dropped');
    return client !== undefined;
  }

  /** The session is over; whoever comes now is told at once. Settles when every client has got all or is given up. */
  async end(end: SessionEnd): Promise<void> {
    this.#end = end;
    this.#settle();
    await withinTime(this.displays.finish(), FINISH_MS);
    for (const client of this.#clients) this.#leave(client, end, 'ended');
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** For viewers that asked for it. */
  #describe({ columns, rows }: TerminalSize): string {
    const { sessionId, name, status } = this.#host;
    return `nono ${sessionId} ${name()} ${status()} ${this.isAttached ? 'attached' : 'detached'} ${columns}x${rows}`;
  }

  /**
   * Before anything happens that what is shown depends on: all that the command has written by now is known, and nothing passes beside this.
   * What passes is opened again when there is nothing else to do.
   */
  #settle(): void {
    this.#holder()?.shortcut?.close();
    this.#host.drain?.();
    if (this.#isOpening) return;
    this.#isOpening = true;
    setImmediate(() => {
      this.#isOpening = false;
      const client = this.#holder();
      if (client !== undefined) this.#letPass(client);
    });
  }

  /** Lets pass what nobody here has to look at. */
  #letPass(client: Client): void {
    const { shortcut, display, role } = client;
    if (display === undefined || role !== 'interactive' || this.#end !== undefined) return;
    shortcut?.open({
      fromTerminal: this.displays.isPassable(display),
      toTerminal: this.#maySkipTyped(client, display),
      isWatched: [...this.#clients].some((one) => one.display?.view !== undefined || one.display?.isFollower === true),
    });
    client.fences?.answer(shortcut, () => this.#maySkipTyped(client, display));
    client.fences?.isIdle(shortcut);
  }

  /** What is plainly typed need not be looked at. */
  #maySkipTyped({ decoder }: Client, display: Display): boolean {
    return !this.#asking.isOpen && decoder.isBetweenFrames && this.#screen.isBetweenAnswers(display);
  }

  /** Who is attached. */
  #holder(): Client | undefined {
    return [...this.#clients].find(({ role }) => isAttachedAs(role));
  }

  #receive(client: Client, data: Uint8Array): void {
    this.#settle();
    try {
      for (const { message, bytes } of lastSizes(client.decoder.push(data), () => this.#size))
        if (client.role !== 'gone') this.#handle(client, message, bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(client, 'protocol', error.message);
    }
  }

  #handle(client: Client, message: ClientMessage, bytes: number): void {
    if (message.kind === 'hello') {
      if (client.role !== 'new') throw new ProtocolError('a second hello');
      this.#welcome(client, message);
    } else if (message.kind === 'detach') {
      this.#leave(client, this.#away('detached', client), 'asked');
    } else if (message.kind === 'request') {
      if (!step(client, 'request')) throw new ProtocolError('a request without the mode control');
      client.requests.add(bytes, () => this.#answer(client, message.request));
    } else if (message.kind === 'typedFence' || message.kind === 'shownAnswer') {
      this.#fence(client, message);
    } else {
      if (!step(client, message.kind) || client.display === undefined) throw new ProtocolError('input without the mode attach');
      this.#take(client.display, client.role, message);
    }
  }

  /** Nothing comes of it for a client that was not joined, or is not any more. */
  #fence(client: Client, { kind, number }: Extract<ClientMessage, { kind: 'typedFence' | 'shownAnswer' }>): void {
    const { display, shortcut, fences } = client;
    if (!step(client, 'fence') || display === undefined) throw new ProtocolError('a fence without the mode attach');
    if (kind === 'shownAnswer') fences?.answered(shortcut, number);
    else fences?.asked(number);
  }

  #take(display: Display, role: ClientRole, message: Extract<ClientMessage, { kind: 'data' | 'resize' }>): void {
    if (message.kind === 'data') {
      if (!this.#asking.type(message.data)) this.#type(display, message.data);
    } else if (role === 'viewer') {
      this.displays.resizeView(display, message.size);
    } else {
      this.#resize(display, message.size);
      this.displays.resume(display);
    }
  }

  #resize(display: Display, size: TerminalSize): void {
    const isOther = !isSameSize(size, this.#size);
    this.#size = size;
    if (isOther) {
      this.displays.resizeTerminal(display, () => this.#host.resize(size));
      return;
    }
    // Others have written on a terminal whose client says what is known.
    this.displays.suspend(display);
    this.#host.resize(size);
  }

  #type(display: Display, data: Uint8Array): void {
    this.#screen.typed(display, data);
    this.#host.type(data);
  }

  #welcome(
    client: Client,
    { mode, size, terminal, history, terminalId, capabilities, status: statusPlace }: Extract<ClientMessage, { kind: 'hello' }>,
  ): void {
    const holder = this.#holder();
    if (mode === 'attach' && holder !== undefined) {
      this.#refuse(client, 'busy', 'already attached');
      return;
    }
    const { sessionId, hasTerminal, name, status } = this.#host;
    if (!hasTerminal && mode !== 'control') {
      this.#refuse(client, 'no_terminal', 'it runs on the streams of its caller');
      return;
    }
    send(client, { kind: 'welcome', sessionId, name: name(), status: status(), capabilities: [DIRECT] });
    if (this.#end !== undefined) {
      this.#leave(client, this.#end, 'ended');
    } else if (mode === 'control') {
      step(client, 'control');
    } else if (mode === 'view') {
      step(client, 'view');
      this.#host.audit({ event: 'attach', mode, terminal, ...actorOf(client) });
      client.display = this.displays.addViewer(client.connection, size, statusPlace);
    } else {
      if (holder === undefined) this.#host.audit({ event: 'attach', mode: 'attach', terminal, ...actorOf(client) });
      else this.#host.audit({ event: 'steal', from_pid: actorOf(holder).pid, terminal, ...actorOf(client) });
      if (holder !== undefined) this.#leave(holder, this.#away('stolen', holder), 'stolen');
      step(client, 'attach');
      this.#host.attachmentChanged(true);
      this.displays.statusChanged();
      this.#size = size;
      this.#host.resize(size);
      client.display = this.displays.addTerminal(client.connection, {
        isFresh: !this.#host.hasBegun(),
        historyLines: history,
        terminalId,
      });
      this.#asking.attached(client.display);
      if (capabilities.includes(DIRECT)) client.fences = sessionFences();
      // What is to be drawn is on its way by then, and the rest of what came with the hello is read.
      setTimeout(() => this.#join(client), this.#host.hasBegun() ? JOIN_AFTER_MS : 0);
    }
  }

  #join(client: Client): void {
    if (isAttachedAs(client.role)) client.shortcut = this.#host.join?.(client.connection, () => this.#letPass(client));
    this.#letPass(client);
  }

  async #answer(client: Client, request: ControlRequest): Promise<void> {
    if (client.role === 'gone') return;
    const outcome = await outcomeOf(() => this.#host.request(request, actorOf(client)));
    // It may have gone meanwhile: a follower that is nobody's would be written to for ever.
    if (!this.#clients.has(client)) return;
    const attachment = this.isAttached ? 'attached' : 'detached';
    if (outcome.isDone && outcome.content !== undefined) sendPieces(client.connection, 'content', outcome.content);
    if (outcome.isDone && outcome.follows === true) client.display = this.displays.addFollower(client.connection);
    if (outcome.isDone) {
      const { changed, snapshot } = outcome;
      send(client, { kind: 'answer', status: this.#host.status(), attachment, changed, snapshot });
    } else send(client, { kind: 'error', code: outcome.code, message: outcome.message });
  }

  /** A viewer has a screen of its own, which goes with it. */
  #away(reason: 'detached' | 'stolen', { role }: Client): SessionEnd {
    return { reason, rowsBelow: isAttachedAs(role) ? this.#screen.rowsBelow() : 0 };
  }

  #refuse(client: Client, code: RefusalCode, message: string): void {
    if (client.role === 'gone') return;
    send(client, { kind: 'error', code, message });
    this.#remove(client, 'gone');
    client.connection.end();
  }

  #leave(client: Client, end: SessionEnd, reason: DetachReason): void {
    if (client.role === 'gone') return;
    if (client.display !== undefined) this.displays.remember(client.display);
    send(client, { kind: 'exit', end });
    this.#remove(client, reason);
    client.connection.end();
  }

  #remove(client: Client, reason: DetachReason): void {
    const wasAttached = isAttachedAs(client.role);
    if (wasAttached || client.role === 'viewer') {
      this.#host.audit({ event: 'detach', mode: wasAttached ? 'attach' : 'view', reason, ...actorOf(client) });
    }
    step(client, reason);
    client.fences?.stop();
    this.#clients.delete(client);
    if (wasAttached) this.#asking.left();
    if (client.display !== undefined) this.displays.remove(client.display);
    if (wasAttached) this.#host.attachmentChanged(false);
    this.displays.statusChanged();
  }
}
