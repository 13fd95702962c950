import type { SystemError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { TerminalSize } from '../ports/pty.ts';
import type { Shortcut } from '../ports/shortcut.ts';
import type { Signals } from '../ports/signals.ts';
import type { TerminalHandlers, UserTerminal } from '../ports/user-terminal.ts';
import { DetachMatcher } from '../terminal/detach-matcher.ts';
import type { Link } from './client.ts';
import { ClientTerminal } from './client-terminal.ts';
import { Fences } from './fences.ts';
import {
  type ClientMode,
  DIRECT,
  encodeClientMessage,
  type RefusalCode,
  type ServerMessage,
  type SessionEnd,
  type StatusPlace,
} from './messages.ts';
import { inPieces } from './send-pieces.ts';
import { isSameSize } from './terminal-size.ts';

/** How an attached terminal came apart from its session. */
export type AttachEnd =
  | { readonly kind: 'exit'; readonly end: SessionEnd }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string }
  /** The connection ended without a word: `failure` says why, when that was this side's. */
  | { readonly kind: 'gone'; readonly failure: SystemError | undefined };

export interface AttachOptions {
  readonly mode: Exclude<ClientMode, 'control'>;
  /** Where a viewer wants a line about the session. */
  readonly status: StatusPlace | undefined;
  /** A line for the terminal of a client that was killed. */
  readonly farewell: string;
  readonly detachKeys: readonly string[];
  /** What is typed waits so long in the terminal, at most: to follow that takes milliseconds, and the first screen comes first. 0 where none comes. */
  readonly followAfterMs: number;
  /** Lines of the history that are wanted; undefined for those that this terminal has not had. */
  readonly historyLines: number | undefined;
  /** TERM of the caller. */
  readonly terminalName: string;
  readonly clock: Clock;
  /** Stops this process, and who waits for it, and returns when it goes on: at once where nobody could see to that. */
  readonly stopGroup: Signals['stopGroup'];
  /** The terminal is for this process to read and to draw on. */
  readonly isInForeground: () => boolean;
}

/** Who is continued to be ended hears of it by then, rather than stop again. */
const BACKGROUND_MS = 20;

/** A supervisor that is well answers within a millisecond. */
const GOODBYE_TIMEOUT_MS = 200;

/** Keys of the terminal to the session, its output to the terminal, until one of them ends. */
export class AttachClient {
  readonly #terminal: UserTerminal;
  readonly #options: AttachOptions;
  readonly #matcher: DetachMatcher;
  readonly #shown: ClientTerminal;
  readonly #ended = Promise.withResolvers<AttachEnd>();
  /** Lines about what takes long, to be shown when the terminal is the user's own again. */
  readonly notices: string[] = [];
  #link: Link | undefined;
  #shortcut: Shortcut | undefined;
  /** Of what is typed; undefined for a session that knows of none. */
  #fences: Fences | undefined;
  #isOver = false;
  /** It has stopped itself, and hears yet that it goes on. */
  #hasStopped = false;
  #size: TerminalSize | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #followTimer: ReturnType<typeof setTimeout> | undefined;
  #leaveTimer: ReturnType<typeof setTimeout> | undefined;
  #backgroundTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(terminal: UserTerminal, options: AttachOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#shown = new ClientTerminal(terminal, options.clock, options.farewell);
    this.#matcher = new DetachMatcher(options.detachKeys);
  }

  /** To be given to connectClient(). */
  readonly handlers = {
    onMessage: (message: ServerMessage) => this.#receive(message),
    onClose: (failure?: SystemError) => this.#ended.resolve({ kind: 'gone', failure }),
  };

  /** Takes the terminal over and gives it back as it was. */
  async run(link: Link): Promise<AttachEnd> {
    this.#link = link;
    const { mode, terminalName, historyLines, status } = this.#options;
    const size = this.#terminal.size();
    this.#size = size;
    link.send({
      kind: 'hello',
      mode,
      size,
      terminal: terminalName,
      capabilities: this.#maySendDirectly ? [DIRECT] : [],
      history: historyLines,
      terminalId: this.#terminal.identity(),
      status,
    });
    this.#terminal.enterRaw();
    try {
      this.#terminal.watch({ onResize: () => this.#resize(), onContinue: () => this.#goOn() });
      // Nobody heard of a change before.
      if (!isSameSize(size, this.#terminal.size())) this.#resize();
      this.#followSoon(link);
      const end = await this.#ended.promise;
      this.#isOver = true;
      // What the terminal still answers is for nobody.
      if (this.#followTimer !== undefined && this.#shown.mayStillSend()) this.#follow(link);
      this.#shortcut?.close();
      await this.#shown.settle();
      this.#shown.restore();
      if (end.kind === 'exit' && end.end.reason !== 'ended') this.#shown.stepBelow(end.end.rowsBelow);
      return end;
    } finally {
      clearTimeout(this.#timer);
      clearTimeout(this.#followTimer);
      clearTimeout(this.#leaveTimer);
      clearTimeout(this.#backgroundTimer);
      this.#fences?.stop();
      this.#giveBack();
      link.connection.close();
    }
  }

  /** A terminal that knows no sequences is put back from those alone that were written: by nobody who does not say which. */
  get #maySendDirectly(): boolean {
    return this.#options.terminalName !== '' && this.#options.terminalName !== 'dumb';
  }

  #followSoon(link: Link): void {
    const { followAfterMs } = this.#options;
    if (followAfterMs === 0) {
      this.#follow(link);
      return;
    }
    this.#followTimer = setTimeout(() => {
      try {
        this.#follow(link);
      } catch (error) {
        this.#ended.reject(error);
      }
    }, followAfterMs);
  }

  /** A viewer types nothing, and is drawn little. */
  #follow(link: Link): void {
    clearTimeout(this.#followTimer);
    this.#followTimer = undefined;
    const handlers: TerminalHandlers = { onInput: (data) => this.#type(data), onEnd: () => this.leave() };
    if (this.#maySendDirectly && this.#options.mode !== 'view') {
      this.#shortcut = this.#terminal.followJoined?.(handlers, {
        connection: link.connection,
        isPlain: (typed) => this.#matcher.isPlain(typed),
        onIdle: () => this.#letPass(),
      });
    }
    if (this.#shortcut === undefined) this.#terminal.follow(handlers);
    else this.#shown.isPassedBy();
  }

  /** Lets pass what nobody here has to look at. */
  #letPass(): void {
    const link = this.#link;
    if (link === undefined || this.#isOver || this.#leaveTimer !== undefined) return;
    const { typed, shown, hasPen } = this.#shown.mayPass();
    const isTaken = link.connection.queuedBytes === 0;
    this.#shortcut?.open({
      fromTerminal: typed && isTaken && this.#matcher.isIdle,
      toTerminal: shown && link.isBetweenFrames(),
      hasPen,
    });
    this.#fences?.answer(this.#shortcut, () => this.#shown.mayPassDirectly());
    this.#fences?.isIdle(this.#shortcut);
  }

  /** The supervisor says where the cursor goes; it is not waited for when it hangs. */
  leave(): void {
    if (this.#leaveTimer !== undefined) return;
    this.#shortcut?.close();
    this.#link?.send({ kind: 'detach' });
    const end = { reason: 'detached', rowsBelow: this.#options.mode === 'view' ? 0 : 1 } as const;
    this.#leaveTimer = setTimeout(() => this.#ended.resolve({ kind: 'exit', end }), GOODBYE_TIMEOUT_MS);
  }

  #type(data: Uint8Array): void {
    if (!this.#shown.follow(data) || this.#leaveTimer !== undefined) return;
    const { forward, isDetach } = this.#matcher.push(data, this.#options.clock.monotonicMs());
    this.#forward(forward);
    if (isDetach) this.leave();
    else this.#wait();
  }

  /** A sequence that was begun reaches the command when nothing more comes. */
  #wait(): void {
    clearTimeout(this.#timer);
    const deadlineMs = this.#matcher.deadlineMs();
    if (deadlineMs === undefined) return;
    const { clock } = this.#options;
    this.#timer = setTimeout(
      () => {
        this.#forward(this.#matcher.expire(clock.monotonicMs()));
        this.#wait();
      },
      Math.max(1, deadlineMs - clock.monotonicMs()),
    );
  }

  /** Of a paste more may have come at once than a frame holds. */
  #forward(data: Uint8Array): void {
    if (this.#options.mode === 'view') return;
    for (const piece of inPieces(data)) this.#link?.send({ kind: 'data', data: piece });
  }

  #resize(): void {
    this.#size = this.#terminal.size();
    this.#link?.send({ kind: 'resize', size: this.#size });
  }

  #receive(message: ServerMessage): void {
    switch (message.kind) {
      case 'output':
        this.#shown.write(message.data);
        return;
      case 'redraw':
        this.#shown.redraw(message.data);
        return;
      case 'exit':
        this.#ended.resolve({ kind: 'exit', end: message.end });
        return;
      case 'error':
        this.#ended.resolve({ kind: 'refused', code: message.code, message: message.message });
        return;
      case 'progress':
        this.notices.push(message.message);
        return;
      case 'stopped':
        this.#stop();
        return;
      case 'welcome':
        if (message.capabilities.includes(DIRECT))
          this.#fences = new Fences({
            ask: (number) => encodeClientMessage({ kind: 'typedFence', number }),
            answer: (number) => encodeClientMessage({ kind: 'shownAnswer', number }),
          });
        return;
      case 'shownFence':
        this.#fences?.asked(message.number);
        return;
      case 'typedAnswer':
        this.#fences?.answered(this.#shortcut, message.number);
        return;
      case 'answer':
      case 'content':
    }
  }

  /** The command was stopped from the keyboard: the shell around this client takes the terminal, and gives it back. */
  #stop(): void {
    this.#shortcut?.close();
    this.#giveBack();
    this.#hasStopped = true;
    this.#options.stopGroup('key');
    if (this.#isInBackground()) return;
    this.#terminal.enterRaw();
    this.#resize();
  }

  /** Continued by a shell that keeps the terminal: stops again, unless it is to end. */
  #isInBackground(): boolean {
    if (this.#options.isInForeground()) return false;
    clearTimeout(this.#backgroundTimer);
    this.#backgroundTimer = setTimeout(() => {
      if (this.#isOver || this.#leaveTimer !== undefined) return;
      if (this.#options.isInForeground()) this.#goOn();
      else {
        this.#options.stopGroup('background');
        // Where nothing can be stopped nothing says that it goes on.
        this.#isInBackground();
      }
    }, BACKGROUND_MS);
    return true;
  }

  /** After a stop that came from outside, before which nothing could be done: the shell has its own settings, and its own lines on the screen. */
  #goOn(): void {
    const isOwnStop = this.#hasStopped;
    this.#hasStopped = false;
    if (isOwnStop || this.#isOver || this.#leaveTimer !== undefined) return;
    this.#shortcut?.close();
    if (this.#isInBackground()) return;
    this.#terminal.enterRaw();
    if (this.#size === undefined || !isSameSize(this.#size, this.#terminal.size())) this.#resize();
    // Of the size that the session has, it asks for a drawing.
    this.#resize();
  }

  #giveBack(): void {
    this.#shown.restore();
    this.#terminal.leaveRaw();
  }
}
