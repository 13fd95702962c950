import type { TerminalSize } from '../ports/pty.ts';
import type { Connection } from '../ports/socket.ts';
import type { TerminalModel } from '../terminal/model.ts';
import type { ViewPainter } from '../terminal/view-painter.ts';
import { encodeServerMessage } from './messages.ts';
import type { Drawing, SessionScreen } from './screen.ts';

/** What is kept for a client that does not read; past it the client misses output, and is drawn anew when it is back. */
const QUEUE_BYTES_MAXIMUM = 4 * 1024 * 1024;
/** Viewers see no more changes than this apart. */
const VIEW_INTERVAL_MS = 30;
/** A frame holds more. */
const OUTPUT_PIECE_BYTES = 128 * 1024;

/** The terminal of a client, on which the session is shown. */
export interface Display {
  readonly connection: Connection;
  /** A follower of the log gets what the command writes, and is never drawn anything. */
  readonly isFollower: boolean;
  /** Undefined where what the command writes is passed on as it is; a viewer is only ever drawn. */
  readonly view: { size: TerminalSize; painter: ViewPainter | undefined } | undefined;
  /** It gets what the command writes. Otherwise it is to be drawn first. */
  isLive: boolean;
  /** What is kept for it was too much. */
  isBehind: boolean;
  isGone: boolean;
  /** Of the history, by the numbers of the model, what its terminal has had. */
  historySeen: number;
}

/**
 * Brings the session to the terminals of its clients: what the command writes as it comes to the one that types, drawings
 * to viewers, and a drawing to whoever joins late or could not follow. None of them can delay it.
 */
export class Displays {
  readonly #screen: SessionScreen;
  readonly #displays = new Set<Display>();
  #viewTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(screen: SessionScreen) {
    this.#screen = screen;
  }

  /**
   * @param isFresh Nothing was written yet: the output goes on where the cursor of the terminal is.
   * @param historyLines So much of the history is wanted.
   */
  addTerminal(
    connection: Connection,
    { isFresh, historyLines }: { readonly isFresh: boolean; readonly historyLines: number },
  ): Display {
    const display = this.#add({ connection, isFollower: false, view: undefined, isLive: isFresh });
    this.#screen.joined(display);
    if (!isFresh) {
      this.#screen.whenReached((model) => (display.historySeen = Math.max(0, model.historyEnd - historyLines)));
      this.#draw(display, true);
    }
    return display;
  }

  addViewer(connection: Connection, size: TerminalSize): Display {
    const display = this.#add({ connection, isFollower: false, view: { size, painter: undefined }, isLive: false });
    this.#scheduleViews(0);
    return display;
  }

  /** For a reader of the log: everything that is written from now on. One that does not read misses some of it. */
  addFollower(connection: Connection): Display {
    return this.#add({ connection, isFollower: true, view: undefined, isLive: true });
  }

  remove(display: Display): void {
    display.isGone = true;
    this.#displays.delete(display);
    if (display.view === undefined && !display.isFollower) this.#screen.left(display);
  }

  /** What the command wrote. */
  output(data: Uint8Array): void {
    let reader: Display | undefined;
    for (const display of this.#displays) {
      if (display.view === undefined && this.#forward(display, data) && !display.isFollower) reader = display;
    }
    this.#screen.output(data, reader);
    this.#scheduleViews(VIEW_INTERVAL_MS);
  }

  /** A viewer's terminal has another size. */
  resizeView(display: Display, size: TerminalSize): void {
    if (display.view === undefined) return;
    display.view.size = size;
    display.view.painter?.resize(size);
    this.#scheduleViews(0);
  }

  /** Everything that was kept for it is read. */
  caughtUp(display: Display): void {
    if (!display.isBehind) return;
    display.isBehind = false;
    if (display.isFollower) display.isLive = true;
    else if (display.view === undefined) this.#draw(display, false);
    else this.#scheduleViews(0);
  }

  /** Whoever has not had all of the output is drawn the end of it. */
  async finish(): Promise<void> {
    const late = [...this.#displays].filter(({ isLive, isFollower }) => !isLive && !isFollower);
    if (late.length === 0) return;
    for (const display of late) if (display.view === undefined) this.#draw(display, false);
    await new Promise<void>((resolve) => {
      this.#screen.whenReached((model, drawing) => {
        for (const display of late) this.#drawView(display, model, drawing);
        resolve();
      });
    });
  }

  #add(start: Pick<Display, 'connection' | 'isFollower' | 'view' | 'isLive'>): Display {
    const display: Display = { ...start, isBehind: false, isGone: false, historySeen: 0 };
    this.#displays.add(display);
    return display;
  }

  /** @returns whether the terminal gets it. */
  #forward(display: Display, data: Uint8Array): boolean {
    if (!display.isLive) return false;
    if (display.connection.queuedBytes > QUEUE_BYTES_MAXIMUM) {
      display.isLive = false;
      display.isBehind = true;
      if (!display.isFollower) this.#screen.whenReached((model) => (display.historySeen = model.historyEnd));
      return false;
    }
    sendPieces(display.connection, 'output', data);
    return true;
  }

  /** Everything up to now by what the model knows, and from there on as it comes. */
  #draw(display: Display, isFirst: boolean): void {
    this.#screen.whenReached((model, { paint }) => {
      if (display.isGone || display.isLive) return;
      const [first = new Uint8Array(), ...more] = paint(model, { historyFrom: display.historySeen, isFirst });
      sendPieces(display.connection, 'redraw', first);
      for (const piece of [...more, ...this.#screen.handOver(display)]) sendPieces(display.connection, 'output', piece);
      display.isLive = true;
    });
  }

  #scheduleViews(afterMs: number): void {
    if (this.#viewTimer !== undefined || ![...this.#displays].some(({ view }) => view !== undefined)) return;
    this.#viewTimer = setTimeout(() => {
      this.#screen.whenReached((model, drawing) => {
        this.#viewTimer = undefined;
        for (const display of this.#displays) this.#drawView(display, model, drawing);
      });
    }, afterMs);
  }

  /** One that has not read the last drawing gets the next when it has. */
  #drawView(display: Display, model: TerminalModel, { ViewPainter: Painter }: Drawing): void {
    const { view } = display;
    if (view === undefined) return;
    view.painter ??= new Painter(view.size);
    display.isBehind = display.connection.queuedBytes > 0;
    const drawing = display.isBehind ? undefined : view.painter.draw(model);
    if (drawing !== undefined) sendPieces(display.connection, 'output', drawing);
  }
}

/** In frames as large as they may be; the frames after the first of a `redraw` are output. */
export function sendPieces(connection: Connection, kind: 'output' | 'redraw' | 'content', data: Uint8Array): void {
  for (let at = 0; at < data.length; at += OUTPUT_PIECE_BYTES) {
    const piece = data.subarray(at, at + OUTPUT_PIECE_BYTES);
    connection.write(encodeServerMessage({ kind: at > 0 && kind === 'redraw' ? 'output' : kind, data: piece }));
  }
}
