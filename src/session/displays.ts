import type { TerminalSize } from '../ports/pty.ts';
import type { Connection } from '../ports/socket.ts';
import { placeInHistory } from '../terminal/history.ts';
import type { TerminalModel } from '../terminal/model.ts';
import { RowWatch } from '../terminal/row-watch.ts';
import { BELL, OVER_BEGIN, OVER_END, type Over } from './covering.ts';
import type { Display, DisplaysHost, JoiningTerminal } from './display.ts';
import { FLOOD_INTERVAL_MS, showFlood } from './flood-view.ts';
import { KnownTerminals } from './known-terminals.ts';
import type { StatusPlace } from './messages.ts';
import { type Occasion, occasionBelow, paintFor, rowsAboveCursor } from './occasion.ts';
import type { Drawing, SessionScreen } from './screen.ts';
import { sendPieces } from './send-pieces.ts';

/** What is kept for a client that does not read; past it the client misses output, and is drawn anew when it is back. */
const QUEUE_BYTES_MAXIMUM = 4 * 1024 * 1024;
/** Readers of the log share as much, down to this for each: however many they are, what they do not read fills no memory. */
const FOLLOWER_QUEUE_BYTES_MINIMUM = 256 * 1024;
/** Viewers see no more changes than this apart. */
const VIEW_INTERVAL_MS = 30;
/** What was drawn may be on its way for so long: a terminal of another size by then has not shown it as it was meant. */
const UNDERWAY_MS = 2000;

/**
 * Brings the session to the terminals of its clients: what the command writes as it comes to the one that types, drawings
 * to viewers, and a drawing to whoever joins late or could not follow. None of them can delay it.
 */
export class Displays {
  readonly #screen: SessionScreen;
  readonly #describe: (size: TerminalSize) => string;
  readonly #nowMs: () => number;
  readonly #settle: () => void;
  readonly #displays = new Set<Display>();
  readonly #known = new KnownTerminals();
  #followers = 0;
  #viewTimer: ReturnType<typeof setTimeout> | undefined;
  #isViewOutdated = false;

  constructor(screen: SessionScreen, { describe, nowMs, settle = () => undefined }: DisplaysHost) {
    this.#screen = screen;
    this.#describe = describe;
    this.#nowMs = nowMs;
    this.#settle = settle;
  }

  addTerminal(connection: Connection, { isFresh, historyLines, terminalId }: JoiningTerminal): Display {
    const display = this.#add({ connection, isFollower: false, view: undefined, isLive: isFresh, terminalId });
    this.#screen.joined(display);
    if (!isFresh) {
      this.#screen.whenReached((model) => {
        const wanted = historyLines === undefined ? undefined : Math.max(0, model.historyEnd - historyLines);
        const from = wanted ?? (terminalId === undefined ? undefined : this.#known.unseenFrom(terminalId, model));
        if (from !== undefined) this.#hasSeen(display, model, from);
      });
      this.#draw(display, 'first');
    }
    return display;
  }

  /** It leaves in good order: what it was shown is in its scrollback when it comes again. */
  remember(display: Display): void {
    const { terminalId, over, historySeen } = display;
    if (terminalId === undefined || display.isFollower) return;
    if (over?.shown !== undefined && historySeen !== undefined) {
      // What came behind the prompt it has not had.
      display.historySeen = undefined;
      this.#known.remember(terminalId, { history: historySeen, rows: over.shown });
    } else if (display.isLive) {
      this.#screen.whenReached((model) => {
        const history = placeInHistory(model, model.historyEnd);
        this.#known.remember(terminalId, { history, rows: rowsAboveCursor(model) });
      });
    }
  }

  /** Its client stops, and its terminal is the user's. */
  suspend(display: Display): void {
    if (display.over !== undefined) {
      display.isSuspended = true;
      display.over.standing = undefined;
    }
    if (!display.isLive) return;
    this.#isNoLongerLive(display);
    display.isSuspended = true;
    this.#screen.whenReached((model) => this.#hasSeen(display, model, model.historyEnd));
  }

  /**
   * Shows rows over the last ones of a terminal, until uncover(); what is below is drawn from the model, and keys come in their plain forms.
   *
   * @returns false for a terminal that is not shown the session now.
   */
  cover(display: Display, rows: Over['rows']): boolean {
    if (!display.isLive || display.isGone) return false;
    this.#isNoLongerLive(display);
    const over: Over = { rows, painter: undefined, shown: undefined, standing: undefined, watch: new RowWatch() };
    display.over = over;
    this.#screen.whenReached((model, drawing) => {
      this.#hasSeen(display, model, model.historyEnd);
      over.shown = rowsAboveCursor(model);
      if (!display.isSuspended) over.standing = drawing.standingOf(model);
      over.watch.begin(model);
      this.#beginOver(display, model, drawing);
    });
    return true;
  }

  /** The rows have changed. @param isLoud The bell rings. */
  coverChanged(display: Display, isLoud: boolean): void {
    if (display.over === undefined || display.isSuspended) return;
    if (isLoud) sendPieces(display.connection, 'output', Buffer.from(BELL, 'latin1'));
    this.#scheduleViews(0);
  }

  /** The screen is drawn as it is now, and followed from there on. */
  uncover(display: Display): void {
    const { over } = display;
    if (over === undefined || display.isGone) return;
    display.over = undefined;
    if (display.isSuspended) return;
    sendPieces(display.connection, 'output', Buffer.from(OVER_END, 'latin1'));
    this.#draw(display, (model, drawing) => {
      const { standing, watch } = over;
      if (standing === undefined) return occasionBelow(display, model, drawing);
      // What has scrolled through the whole screen has nothing of the user's above it.
      return standing.line > 0 ? 'again' : (drawing.paintSince(model, standing, watch) ?? 'first');
    });
  }

  #beginOver(display: Display, model: TerminalModel, drawing: Drawing): void {
    const { over } = display;
    if (over === undefined || display.isGone || display.isSuspended) return;
    over.painter = new drawing.ViewPainter(model.size);
    sendPieces(display.connection, 'redraw', Buffer.from(OVER_BEGIN, 'latin1'));
    this.#drawView(display, model, drawing);
  }

  /** Its client has the terminal again. */
  resume(display: Display): void {
    const wasSuspended = display.isSuspended;
    display.isSuspended = false;
    if (display.over !== undefined) this.#screen.whenReached((model, drawing) => this.#beginOver(display, model, drawing));
    else if (wasSuspended) this.#draw(display, (model, drawing) => occasionBelow(display, model, drawing));
  }

  addViewer(connection: Connection, size: TerminalSize, status: StatusPlace | undefined): Display {
    const view = { size, painter: undefined, status };
    const display = this.#add({ connection, isFollower: false, view, isLive: false, terminalId: undefined });
    this.#scheduleViews(0);
    return display;
  }

  /** For a reader of the log: everything that is written from now on. One that does not read misses some of it. */
  addFollower(connection: Connection): Display {
    this.#followers += 1;
    return this.#add({ connection, isFollower: true, view: undefined, isLive: true, terminalId: undefined });
  }

  remove(display: Display): void {
    display.isGone = true;
    if (this.#displays.delete(display) && display.isFollower) this.#followers -= 1;
    display.historySeen?.[Symbol.dispose]();
    if (display.view === undefined && !display.isFollower) this.#screen.left(display);
  }

  /** What the command writes may be passed on to its client by somebody else from now on, who tells output() of it. */
  isPassable(display: Display): boolean {
    const { isLive, isGone, isSuspended, over, connection } = display;
    return isLive && !isGone && !isSuspended && over === undefined && connection.queuedBytes === 0;
  }

  /** What the command wrote. @param isPassedTo This client has got it already. */
  output(data: Uint8Array, isPassedTo?: Display): void {
    let reader: Display | undefined;
    for (const display of this.#displays) {
      display.over?.watch.push(data);
      if (display === isPassedTo) reader = display;
      else if (display.view === undefined && this.#forward(display, data) && !display.isFollower) reader = display;
    }
    this.#screen.output(data, reader);
    this.#scheduleViews(VIEW_INTERVAL_MS);
  }

  /** What viewers are told about the session is different. */
  statusChanged(): void {
    if ([...this.#displays].some(({ view }) => view?.status !== undefined)) this.#scheduleViews(0);
  }

  /**
   * The terminal of the one that types has another size, which `resize` gives to the session. A terminal changes what it shows with its size, and so
   * does the model; but what was drawn for the old size and comes to it only now ends up elsewhere, and nothing tells when it came.
   */
  resizeTerminal(display: Display, resize: () => void): void {
    const isUnderway = () => display.connection.queuedBytes > 0 || this.#nowMs() - display.drawnMs < UNDERWAY_MS;
    if (display.isLive && !isUnderway()) {
      resize();
      return;
    }
    let isToBeDrawn = false;
    let rowsBefore = 0;
    // By then it is live that waits to be drawn.
    this.#screen.whenReached((model) => {
      rowsBefore = model.historyEnd + model.size.rows;
      isToBeDrawn = display.isLive && isUnderway();
      if (isToBeDrawn) this.#isNoLongerLive(display);
    });
    resize();
    this.#screen.whenReached((model) => {
      if (!isToBeDrawn) return;
      // Rows that leave the screen with its height are in the scrollback of the terminal, whether they were there before or came later.
      this.#hasSeen(display, model, model.historyEnd);
      // What the model has not taken out of its history to fill more rows, the terminal has out of its user's.
      this.#draw(display, { takenBack: Math.max(0, model.historyEnd + model.size.rows - rowsBefore) });
    });
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
    if (!display.isBehind || !this.#screen.isInFlood()) {
      this.#goOn(display);
    } else if (display.view !== undefined || display.over !== undefined || display.isFollower) {
      setTimeout(() => this.#goOn(display), FLOOD_INTERVAL_MS);
    } else if (!display.isInFlood) {
      showFlood(display, {
        screen: this.#screen,
        nowMs: this.#nowMs,
        show: (drawing) => sendPieces(display.connection, 'redraw', drawing),
        onOver: () => this.#goOn(display),
      });
    }
  }

  #goOn(display: Display): void {
    if (!display.isBehind || display.isSuspended || display.isGone) return;
    display.isBehind = false;
    if (display.isFollower) display.isLive = true;
    else if (display.over !== undefined) this.#scheduleViews(0);
    else if (display.view === undefined) this.#draw(display, 'again');
    else this.#scheduleViews(0);
  }

  /** Whoever has not had all of the output is drawn the end of it. */
  async finish(): Promise<void> {
    const late = [...this.#displays].filter(({ isLive, isFollower }) => !isLive && !isFollower);
    if (late.length === 0) return;
    for (const display of late) this.uncover(display);
    for (const display of late) if (display.view === undefined) this.#draw(display, display.isSuspended ? 'first' : 'again');
    await new Promise<void>((resolve) => {
      this.#screen.whenReached((model, drawing) => {
        for (const display of late) this.#drawView(display, model, drawing);
        resolve();
      });
    });
  }

  #add(start: Pick<Display, 'connection' | 'isFollower' | 'view' | 'isLive' | 'terminalId'>): Display {
    const display: Display = {
      ...start,
      isBehind: false,
      isInFlood: false,
      isGone: false,
      isSuspended: false,
      drawnMs: -UNDERWAY_MS,
      historySeen: undefined,
      over: undefined,
      onLive: () => undefined,
    };
    this.#displays.add(display);
    return display;
  }

  #isNoLongerLive(display: Display): void {
    this.#settle();
    display.isLive = false;
  }

  /** @returns whether the terminal gets it. */
  #forward(display: Display, data: Uint8Array): boolean {
    if (!display.isLive) return false;
    if (display.connection.queuedBytes > this.#roomOf(display)) {
      display.isLive = false;
      display.isBehind = true;
      if (!display.isFollower) this.#screen.whenPassed((model) => this.#hasSeen(display, model, model.historyEnd));
      return false;
    }
    sendPieces(display.connection, 'output', data);
    return true;
  }

  #roomOf({ isFollower }: Display): number {
    return isFollower ? Math.max(FOLLOWER_QUEUE_BYTES_MINIMUM, QUEUE_BYTES_MAXIMUM / this.#followers) : QUEUE_BYTES_MAXIMUM;
  }

  /** Everything up to now by what the model knows, and from there on as it comes. */
  #draw(
    display: Display,
    wanted: Occasion | ((model: TerminalModel, drawing: Drawing) => Occasion | readonly Uint8Array[]),
  ): void {
    this.#screen.whenReached((model, drawing) => {
      if (display.isGone || display.isLive) return;
      const occasion = typeof wanted === 'function' ? wanted(model, drawing) : wanted;
      let kind: 'redraw' | 'output' = 'redraw';
      const give = (piece: Uint8Array): void => {
        sendPieces(display.connection, kind, piece);
        kind = 'output';
      };
      if (typeof occasion === 'string' || 'takenBack' in occasion) paintFor(occasion, display, model, drawing, give);
      else for (const piece of occasion) give(piece);
      for (const piece of this.#screen.handOver(display)) give(piece);
      display.isLive = true;
      display.drawnMs = this.#nowMs();
      display.onLive();
    });
  }

  #hasSeen(display: Display, model: TerminalModel, line: number): void {
    display.historySeen?.[Symbol.dispose]();
    display.historySeen = placeInHistory(model, line);
  }

  #scheduleViews(afterMs: number): void {
    if (![...this.#displays].some(({ view, over }) => view !== undefined || over !== undefined)) return;
    // What comes while the model is on its way to be drawn is not drawn with the rest.
    this.#isViewOutdated = this.#viewTimer !== undefined;
    if (this.#isViewOutdated) return;
    this.#viewTimer = setTimeout(() => {
      this.#isViewOutdated = false;
      this.#screen.whenReached((model, drawing) => {
        this.#viewTimer = undefined;
        for (const display of this.#displays) this.#drawView(display, model, drawing);
        if (this.#isViewOutdated) this.#scheduleViews(VIEW_INTERVAL_MS);
      });
    }, afterMs);
  }

  /** One that has not read the last drawing gets the next when it has. */
  #drawView(display: Display, model: TerminalModel, { ViewPainter: Painter, measureBy }: Drawing): void {
    const { view, over } = display;
    if (over?.painter !== undefined && !display.isSuspended) {
      display.isBehind = display.connection.queuedBytes > 0;
      const drawing = display.isBehind ? undefined : over.painter.draw(model, '', over.rows(measureBy(model)));
      if (drawing !== undefined) sendPieces(display.connection, 'output', drawing);
    }
    if (view === undefined) return;
    view.painter ??= new Painter(view.size, view.status);
    display.isBehind = display.connection.queuedBytes > 0;
    const drawing = display.isBehind ? undefined : view.painter.draw(model, this.#describe(model.size));
    if (drawing !== undefined) sendPieces(display.connection, 'output', drawing);
  }
}
