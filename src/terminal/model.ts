import type { TerminalSize } from '../ports/pty.ts';
import { ConsoleColours } from './console-colours.ts';
import { HistoryBound } from './history-bound.ts';
import { LinkTable } from './link-table.ts';
import { type Mark, Marks } from './marks.ts';
import { ALTERNATE_SCREENS, ModeLedger, numbers } from './mode-ledger.ts';
import { PackedHistory } from './packed-history.ts';
import { askedIndexes, asksForClipboard, queriesOfText, queryOfCsi } from './queries.ts';
import { answerQuery, type QueryContext } from './query-answers.ts';
import { repairXterm } from './repair-xterm.ts';
import { SavedCursors } from './saved-cursors.ts';
import { joinParameters, KEPT_OSCS, MODE_SEQUENCES, QUERY_SEQUENCES, sequenceId, splitSequence } from './sequence-ids.ts';
import { UnfinishedSequence } from './unfinished.ts';
import { Utf8Decoder } from './utf8-decoder.ts';
import { createXterm, resizeXterm, type Xterm, type XtermBuffer, type XtermLine } from './xterm.ts';

const GROUND = 0;
const STRING_TERMINATOR = Buffer.from('\x1b\\');
/** Decoded at a time. */
const PARSED_BYTES = 64 * 1024;

export interface ModelOptions {
  readonly size: TerminalSize;
  /** Lines above the screen that are kept. */
  readonly scrollbackLines: number;
  /** A program asked its terminal something; `answer` is what this model says. */
  readonly onQuery: (kind: string, answer: string) => void;
}

/** What the command's own terminal would show: cells, scrollback, and every mode. */
export class TerminalModel {
  readonly ledger = new ModeLedger();
  readonly links = new LinkTable();
  readonly #xterm: Xterm;
  readonly #onQuery: ModelOptions['onQuery'];
  readonly #decoder = new Utf8Decoder();
  readonly #codes = new Uint32Array(PARSED_BYTES + 1);
  readonly #unfinished = new UnfinishedSequence();
  readonly #consoleColours = new ConsoleColours();
  #marks = new Marks();
  #size: TerminalSize;
  /** Lines that were above the screen once and are kept no longer. */
  #trimmedLines = 0;
  #normal: XtermBuffer;
  readonly #scrollbackLines: number;
  #history: PackedHistory;
  #bound: HistoryBound;
  /** Said to change the screen, which a program may be on already. */
  #region: { readonly top: number; readonly bottom: number } | undefined;
  readonly #cursors: SavedCursors;

  constructor({ size, scrollbackLines, onQuery }: ModelOptions) {
    this.#size = size;
    this.#onQuery = onQuery;
    this.#xterm = createXterm(size, scrollbackLines);
    this.#cursors = new SavedCursors(this.#xterm);
    this.#normal = this.buffers.normal;
    this.#scrollbackLines = scrollbackLines;
    this.#history = new PackedHistory(this.#normal);
    this.#bound = this.#makeBound();
    this.#followTrimming();
    this.buffers.onBufferActivate(({ activeBuffer }) => this.#screenChanged(activeBuffer));
    this.#followSequences();
    repairXterm(this.#xterm, () => this.#size);
  }

  get size(): TerminalSize {
    return this.#size;
  }

  get core() {
    return this.#xterm.core;
  }

  get buffers() {
    return this.#xterm.core._bufferService.buffers;
  }

  /** Lines that have left the screen upwards since the start, also those that are not kept any more. */
  get historyEnd(): number {
    return this.#trimmedLines + this.buffers.normal.ybase;
  }

  /** The number, as historyEnd counts, of the oldest line that is kept. */
  get historyStart(): number {
    return this.#trimmedLines;
  }

  /** What was written of a sequence or character that is not complete. */
  get unfinished(): Uint8Array {
    return this.#unfinished.bytes;
  }

  /** A line of a screen and what is above it, to be read, and no longer than until three others were read. */
  line(buffer: XtermBuffer, at: number): XtermLine | undefined {
    return buffer === this.#normal ? this.#history.line(at) : buffer.lines.get(at);
  }

  /** Lines above the screen that take all the room that they would on it. */
  get unpackedLines(): number {
    return this.#history.unpackedLines;
  }

  /** Makes room: no more than `count` lines at a time. */
  packLines(count: number): void {
    this.#history.pack(count, (line) => this.#marks.has(line));
  }

  /** Drops the oldest lines when all of them take too much memory: to be called after each piece, which brings less than a program could write. */
  boundHistory(): void {
    this.#bound.keep();
  }

  marksOf(line: XtermLine): readonly Mark[] {
    return this.#marks.of(line);
  }

  /** The row of the screen that a buffer's saved cursor is on. */
  savedRow(buffer: XtermBuffer): number {
    return this.#cursors.row(buffer);
  }

  /** Whether each line feed scrolls the whole normal screen, as soon as the cursor is at its end, and nothing is begun. */
  get isScrollingFreely(): boolean {
    const { active, normal } = this.buffers;
    const isWholeScreen = active.scrollTop === 0 && active.scrollBottom === this.#size.rows - 1;
    const isGround = this.core._inputHandler._parser.currentState === GROUND;
    return active === normal && isWholeScreen && isGround && this.unfinished.length === 0;
  }

  write(data: Uint8Array): void {
    let from = 0;
    for (const end of this.#consoleColours.push(data)) {
      this.#parse(data.subarray(from, end));
      this.#parse(STRING_TERMINATOR);
      from = end;
    }
    this.#parse(data.subarray(from));
    this.#unfinished.follow(data, this.core._inputHandler._parser.currentState === GROUND);
  }

  #parse(data: Uint8Array): void {
    const { _parser: parser } = this.core._inputHandler;
    for (let at = 0; at < data.length; at += PARSED_BYTES) {
      parser.parse(this.#codes, this.#decoder.decode(data.subarray(at, at + PARSED_BYTES), this.#codes));
    }
  }

  resize(size: TerminalSize): void {
    this.#region = undefined;
    this.#bound.makeRoom(size.columns);
    resizeXterm(this.#xterm, size);
    this.#size = size;
    this.#bound.anew();
  }

  #makeBound(): HistoryBound {
    return new HistoryBound(this.#normal, {
      lineAt: (at) => this.#history.beside(at),
      marksBytes: (line) => this.#marks.bytesOf(line),
      lines: this.#scrollbackLines,
    });
  }

  #followTrimming(): void {
    this.#normal.lines.onTrim((amount) => {
      this.#trimmedLines += amount;
      const { lines } = this.#normal;
      // What is full, and is so again, uses the line for what comes at the bottom.
      if (this.#marks.isEmpty || amount !== 1 || lines.length < lines.maxLength) return;
      const recycled = lines.get(lines.length - 1);
      if (recycled !== undefined) this.#marks.forget(recycled);
    });
  }

  #followSequences(): void {
    const { parser } = this.#xterm.terminal;
    this.#followModes();
    for (const written of QUERY_SEQUENCES) {
      const { prefix, middle, final } = splitSequence(written);
      parser.registerCsiHandler(sequenceId(written), (parameters) => {
        const text = joinParameters(parameters);
        const kind = queryOfCsi(prefix, text, middle, final);
        if (kind === undefined) this.ledger.csi(prefix, text, middle, final);
        else this.#ask(kind, numbers(text), '');
        return true;
      });
    }
    for (const written of ['$q', '+q']) {
      parser.registerDcsHandler(sequenceId(written), (body) => {
        this.#ask(queriesOfText('P', written)[0] ?? '', [], body);
        return true;
      });
    }
    this.#followOsc();
  }

  #followModes(): void {
    const { parser } = this.#xterm.terminal;
    for (const written of MODE_SEQUENCES) {
      const { prefix, middle, final } = splitSequence(written);
      parser.registerCsiHandler(sequenceId(written), (parameters) => {
        const text = joinParameters(parameters);
        if (prefix === '?') for (const mode of numbers(text)) this.#beforeMode(mode, final);
        this.ledger.csi(prefix, text, middle, final);
        // xterm.js goes on with those that it knows.
        return false;
      });
    }
    // With them it sets margins; xterm.js knows it as SCOSC only.
    parser.registerCsiHandler({ final: 's' }, () => this.ledger.hasSideMargins);
    for (const final of ['=', '>']) {
      parser.registerEscHandler({ final }, () => {
        this.ledger.escape('', final);
        return false;
      });
    }
    parser.registerEscHandler({ final: 'c' }, () => {
      this.ledger.reset();
      this.#resetAll();
      return true;
    });
  }

  #followOsc(): void {
    const { parser } = this.#xterm.terminal;
    for (const number of KEPT_OSCS) {
      parser.registerOscHandler(number, (text) => {
        const body = `${number};${text}`;
        const asked = queriesOfText(']', body);
        const indexes = number === 4 ? askedIndexes(text) : [];
        asked.forEach((kind, at) => this.#ask(kind, indexes.slice(at, at + 1), text));
        this.ledger.osc(body);
        return true;
      });
    }
    parser.registerOscHandler(8, (text) => {
      const pen = this.core._inputHandler._curAttrData;
      pen.extended = pen.extended.clone();
      pen.extended._urlId = this.links.open(text);
      pen.updateExtended();
      return true;
    });
    parser.registerOscHandler(52, (text) => {
      if (asksForClipboard(']', `52;${text}`)) this.#ask('clipboard', [], text);
      return true;
    });
    parser.registerOscHandler(133, (text) => {
      const { active, normal } = this.buffers;
      if (active === normal) this.#marks.add(normal, text);
      return true;
    });
  }

  #ask(kind: string, parameters: readonly number[], body: string): void {
    const { active } = this.buffers;
    const context: QueryContext = {
      kind,
      parameters,
      body,
      size: this.#size,
      ledger: this.ledger,
      core: this.core,
      buffer: active,
    };
    this.#onQuery(kind, answerQuery(context));
  }

  #beforeMode(mode: number, final: string): void {
    this.#cursors.beforeMode(mode, final);
    if (ALTERNATE_SCREENS.includes(mode)) this.#carryRegion();
  }

  /** Both screens of a terminal have one scroll region; those of xterm.js have one each. */
  #carryRegion(): void {
    const { active } = this.buffers;
    this.#region = { top: active.scrollTop, bottom: active.scrollBottom };
  }

  #screenChanged(now: XtermBuffer): void {
    if (this.#region !== undefined) [now.scrollTop, now.scrollBottom] = [this.#region.top, this.#region.bottom];
    this.#region = undefined;
  }

  /** xterm.js makes new buffers; what was kept is kept no longer. */
  #resetAll(): void {
    this.#trimmedLines = this.historyEnd;
    this.#region = undefined;
    this.core._inputHandler.fullReset();
    this.#normal = this.buffers.normal;
    this.#history = new PackedHistory(this.#normal);
    this.#bound = this.#makeBound();
    this.#marks = new Marks();
    this.#followTrimming();
  }
}
