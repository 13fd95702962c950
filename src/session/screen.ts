import type { Memory } from '../ports/memory.ts';
import type { TerminalSize } from '../ports/pty.ts';
import type * as drawing from '../terminal/drawing.ts';
import type { TerminalModel } from '../terminal/model.ts';
import { ANSWERED_BY_MODEL } from '../terminal/queries.ts';
import { AskedTerminal } from './asked-terminal.ts';
import { Backlog, type DataStep, type Reader } from './backlog.ts';
import { FloodGauge } from './flood-gauge.ts';
import { ParsePace } from './parse-pace.ts';
import { Tidying } from './tidying.ts';

/** Parsed in one turn of the loop, so that keys, signals and clients do not wait: the one of short lines in this time, the other of coloured ones. */
const SLICE_MS = 4;
const SLICE_BYTES = 256 * 1024;
/** Between two looks at the clock: a millisecond or two of the slowest there is, lines of one character. */
const PIECE_BYTES = 8 * 1024;
/** A piece may be as many lines of a terminal, which takes twelve bytes for each cell. */
const PIECE_CELLS = 1024 * 1024;
/**
 * So much of a flood is gathered before it is parsed: what the end of it pushes out of the scrollback need not be. Far more
 * than the ten thousand lines of a usual scrollback, far less than the terminal may be ahead.
 */
const FLOOD_BYTES = 8 * 1024 * 1024;
/** Of what is left then so much is parsed at once: more than a screen, for who is shown where the flood is. */
const GLIMPSE_BYTES = 32 * 1024;
/** Its end is looked for so often. */
const FLOOD_LOOK_MS = 10;
/** Less than this is parsed rather than looked through. */
const FAST_FORWARD_BYTES = 1024 * 1024;

/** The model is loaded by then, or when it is needed: most short commands end before, and the start of none waits for it. */
const LOAD_AFTER_MS = 100;

/** A synchronized update that is not ended by then has nothing to do with what is on the screen any more: terminals end it themselves. */
const UPDATE_MS_MAXIMUM = 1000;

/** The model and what draws it. */
export type Drawing = typeof drawing;

type Loaded = { readonly model: TerminalModel; readonly drawing: Drawing };
type Tell = (model: TerminalModel, drawing: Drawing) => void;

export interface ScreenDeps {
  readonly size: TerminalSize;
  readonly scrollbackLines: number;
  readonly load: () => Promise<Drawing>;
  readonly memory: Memory;
  /** See ParsePace. */
  readonly readAhead?: (bytes: number) => void;
  /** Typed to the command: what the model answers. */
  readonly answer: (data: Uint8Array) => void;
  /** Milliseconds from an arbitrary start. */
  readonly nowMs: () => number;
}

/**
 * The terminal model of a session, and what has still to be parsed by it. Output is forwarded to clients without waiting for
 * the model; whoever needs it is told when it has come to where the output is now.
 */
export class SessionScreen {
  readonly #deps: ScreenDeps;
  readonly #backlog = new Backlog<Tell>();
  readonly #tidying: Tidying;
  #loaded: Loaded | undefined;
  #isLoading = false;
  #isToBeLoaded = false;
  #isScheduled = false;
  /** Whoever is told may have output come: it is not parsed in the midst of that. */
  #isTelling = false;
  readonly #gauge: FloodGauge;
  readonly #pace: ParsePace;
  #floodTimer: ReturnType<typeof setTimeout> | undefined;
  /** To be parsed before it is worth to look again how much need not be. */
  #parseFirstBytes = 0;
  /** The synchronized update that was begun last. */
  #update = { number: 0, beganMs: 0 };
  /** Whose output is being parsed. */
  #reader: Reader | undefined;
  /** Also those that have left: what they were shown may not be parsed. */
  readonly #terminals = new WeakMap<Reader, AskedTerminal>();
  /** Bytes of output, from the beginning. */
  #shownBytes = 0;

  constructor(deps: ScreenDeps) {
    this.#deps = deps;
    this.#gauge = new FloodGauge(deps.nowMs);
    const { nowMs, readAhead = () => undefined } = deps;
    this.#pace = new ParsePace({ nowMs, readAhead, unparsed: () => this.#backlog.bytes });
    this.#tidying = new Tidying({
      memory: deps.memory,
      model: () => this.#loaded?.model,
      dropSpareBlocks: () => this.#backlog.dropSpareBlocks(),
    });
  }

  /** @param reader The client that was sent the same. */
  output(data: Uint8Array, reader: Reader | undefined): void {
    this.#backlog.output(data, reader);
    this.#shownBytes += data.length;
    this.#gauge.came(data.length);
    const loaded = this.#loaded;
    if (loaded !== undefined && !this.#isTelling) this.#pace.keepUp(data.length, () => this.#parse(loaded));
    if (!this.#isToBeLoaded) setTimeout(() => void this.#load(), LOAD_AFTER_MS);
    this.#isToBeLoaded = true;
    this.#schedule();
  }

  resize(size: TerminalSize): void {
    this.#backlog.resize(size);
    this.#schedule();
  }

  /** Calls back, later, when everything up to now is parsed. What has come by then and is not parsed is given by handOver(). */
  whenReached(tell: Tell): void {
    this.#backlog.tell(tell);
    void this.#load();
    this.#schedule();
  }

  /**
   * The same for a place in the history, whenever the model comes there: it may be told of the end of the history as it was before something that is
   * pushed out of the history whole.
   */
  whenPassed(tell: Tell): void {
    this.#backlog.mark(tell);
    void this.#load();
    this.#schedule();
  }

  /** Gives the model as far as it has come by now; nothing where it is not loaded. */
  glimpse(tell: Tell): void {
    if (this.#loaded !== undefined) tell(this.#loaded.model, this.#loaded.drawing);
  }

  /** Output comes faster than anybody could read it, or did a moment ago. */
  isInFlood(): boolean {
    return this.#gauge.isFlood();
  }

  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  /** How far below the cursor nothing is to be seen, as far as the model has come. */
  rowsBelow(): number {
    return this.#loaded === undefined ? 1 : this.#loaded.drawing.rowsBelowCursor(this.#loaded.model);
  }

  /** The output that the model has not seen; from now on `reader` has it all. */
  handOver(reader: Reader): readonly Uint8Array[] {
    return this.#backlog.handOver(reader);
  }

  /** What was typed at the terminal of a reader. */
  typed(reader: Reader, data: Uint8Array): void {
    this.#terminals.get(reader)?.typed(data);
  }

  /** Nothing of an answer has come: what is plainly typed at the terminal of a reader need not be told. */
  isBetweenAnswers(reader: Reader): boolean {
    return this.#terminals.get(reader)?.isBetweenAnswers ?? false;
  }

  /** The reader shows nothing any more: what it was asked and did not answer is answered here. */
  left(reader: Reader): void {
    for (const answer of this.#terminals.get(reader)?.left(this.#deps.nowMs()) ?? []) this.#answer(answer);
  }

  joined(reader: Reader): void {
    const terminal = new AskedTerminal({
      shown: () => this.#shownBytes,
      parsed: () => this.#shownBytes - this.#backlog.bytes,
    });
    this.#terminals.set(reader, terminal);
  }

  #asked(kind: string, answer: string): void {
    const terminal = this.#reader === undefined ? undefined : this.#terminals.get(this.#reader);
    // Those clients do not pass on.
    this.#answer(
      terminal === undefined || ANSWERED_BY_MODEL.includes(kind) ? answer : terminal.asked(kind, answer, this.#deps.nowMs()),
    );
  }

  #answer(answer: string): void {
    if (answer !== '') this.#deps.answer(Buffer.from(answer, 'latin1'));
  }

  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#tidying.begin();
    const drawing = await this.#deps.load();
    const { size, scrollbackLines } = this.#deps;
    const model = new drawing.TerminalModel({ size, scrollbackLines, onQuery: (kind, answer) => this.#asked(kind, answer) });
    this.#loaded = { model, drawing };
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#loaded === undefined || this.#backlog.isEmpty) return;
    if (this.#isFlooded()) {
      if (this.#floodTimer === undefined) this.#floodTimer = setTimeout(() => this.#lookForFlood(), FLOOD_LOOK_MS);
      return;
    }
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#loaded !== undefined) this.#parse(this.#loaded);
      this.#schedule();
    });
  }

  #parse(loaded: Loaded): void {
    this.#pace.measure(() => this.#parseSlice(loaded));
  }

  #parseSlice({ model, drawing }: Loaded): void {
    this.#fastForward(model, drawing);
    const sliceBytes = this.#isFlooded() ? GLIMPSE_BYTES : SLICE_BYTES;
    const { nowMs } = this.#deps;
    const endMs = nowMs() + SLICE_MS;
    for (let parsedBytes = 0; parsedBytes < sliceBytes && nowMs() < endMs; ) {
      const step = this.#backlog.first;
      if (step === undefined) return;
      if (step.kind === 'data') {
        parsedBytes += this.#parsePiece(step, model);
        continue;
      }
      this.#backlog.firstIsDone();
      this.#endOldUpdate(model);
      if (step.kind === 'tell' || step.kind === 'mark') {
        this.#tell(() => step.tell(model, drawing));
        continue;
      }
      model.resize(step.size);
      // All lines were looked at.
      this.#tidying.parsed(0);
    }
  }

  #tell(tell: () => void): void {
    this.#isTelling = true;
    try {
      tell();
    } finally {
      this.#isTelling = false;
    }
  }

  /** @returns its length. */
  #parsePiece(step: DataStep, model: TerminalModel): number {
    const pieceBytes = Math.min(PIECE_BYTES, Math.ceil(PIECE_CELLS / model.size.columns));
    const piece = step.block.subarray(step.from, Math.min(step.length, step.from + pieceBytes));
    this.#reader = step.reader;
    this.#endOldUpdate(model);
    const { historyEnd } = model;
    model.write(piece);
    // A line takes room for all its columns, however short it is.
    const roomBytes = (model.historyEnd - historyEnd) * model.size.columns;
    model.boundHistory();
    const { updates } = model.ledger;
    if (updates !== this.#update.number) this.#update = { number: updates, beganMs: this.#deps.nowMs() };
    this.#parseFirstBytes -= piece.length;
    this.#backlog.consume(step, piece.length);
    this.#tidying.parsed(Math.max(piece.length, roomBytes));
    return piece.length;
  }

  /** Of a program that was killed in the middle of it. */
  #endOldUpdate({ ledger }: TerminalModel): void {
    if (ledger.isOn(2026) && this.#deps.nowMs() - this.#update.beganMs > UPDATE_MS_MAXIMUM) ledger.endUpdate();
  }

  /** More is coming, and nobody waits for what has come. */
  #isFlooded(): boolean {
    return this.#gauge.isFlood() && this.#backlog.waiting === 0 && this.#backlog.bytes < this.#pace.mayWait(FLOOD_BYTES);
  }

  #lookForFlood(): void {
    this.#floodTimer = undefined;
    this.#schedule();
  }

  /** Leaves out what would be pushed out of all that is kept by what has come behind it. */
  #fastForward(model: TerminalModel, drawing: Drawing): void {
    if (this.#backlog.bytes < FAST_FORWARD_BYTES || this.#parseFirstBytes > 0 || !model.isScrollingFreely) return;
    // The cursor may have all of the screen below it before the first line scrolls.
    const keptLines = this.#deps.scrollbackLines + 2 * model.size.rows;
    const { skippedBytes, substitute, simpleBytes } = drawing.fastForward(this.#backlog.pieces(), keptLines);
    this.#parseFirstBytes = skippedBytes === 0 ? simpleBytes + 1 : 0;
    if (skippedBytes === 0) return;
    this.#backlog.skip(skippedBytes, (tell) => this.#tell(() => tell(model, drawing)));
    model.write(substitute);
    this.#tidying.parsed(skippedBytes);
  }
}
