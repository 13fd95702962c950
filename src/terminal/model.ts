import type { TerminalSize } from '../ports/pty.ts';
import { LinkTable } from './link-table.ts';
import { ALTERNATE_SCREENS, ModeLedger, numbers } from './mode-ledger.ts';
import { PackedHistory } from './packed-history.ts';
import { asksForClipboard, queriesOfText, queryOfCsi } from './queries.ts';
import { answerQuery, type QueryContext } from './query-answers.ts';
import { KEPT_OSCS, MODE_SEQUENCES, QUERY_SEQUENCES, sequenceId, splitSequence } from './sequence-ids.ts';
import { UnfinishedSequence } from './unfinished.ts';
import { Utf8Decoder } from './utf8-decoder.ts';
import { createXterm, resizeXterm, type Xterm, type XtermBuffer, type XtermLine } from './xterm.ts';

const GROUND = 0;
/** CHT, IL, DL, SU, SD, CBT and REP: done as often as their parameter says. */
const COUNTED = ['I', 'L', 'M', 'S', 'T', 'Z', 'b'];
/** Decoded at a time. */
const PARSED_BYTES = 64 * 1024;

/** A shell's word about where a prompt, a command or its output begins (OSC 133), and the column it was said at. */
export interface Mark {
  readonly column: number;
  readonly text: string;
}

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
  readonly #marks = new WeakMap<XtermLine, Mark[]>();
  #hasMarks = false;
  #size: TerminalSize;
  /** Lines that were above the screen once and are kept no longer. */
  #trimmedLines = 0;
  #normal: XtermBuffer;
  #history: PackedHistory;
  /** Said to change the screen, which a program may be on already. */
  #region: { readonly top: number; readonly bottom: number } | undefined;
  /** The row of the screen that each buffer's saved cursor is on: xterm.js keeps the line instead, which scrolls away. */
  readonly #savedRows = new WeakMap<XtermBuffer, number>();

  constructor({ size, scrollbackLines, onQuery }: ModelOptions) {
    this.#size = size;
    this.#onQuery = onQuery;
    this.#xterm = createXterm(size, scrollbackLines);
    this.#normal = this.buffers.normal;
    this.#history = new PackedHistory(this.#normal);
    this.#followTrimming();
    this.buffers.onBufferActivate(({ activeBuffer }) => this.#screenChanged(activeBuffer));
    this.#followSequences();
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
    this.#history.pack(count, (line) => this.#hasMarks && this.#marks.has(line));
  }

  marksOf(line: XtermLine): readonly Mark[] {
    if (!this.#hasMarks) return [];
    const marks = this.#marks.get(line) ?? [];
    // The line may be narrower by now.
    return marks.map(({ column, text }) => ({ column: Math.min(column, line.length - 1), text }));
  }

  /** The row of the screen that a buffer's saved cursor is on. */
  savedRow(buffer: XtermBuffer): number {
    // Restored on a screen that is lower by now, it comes to the last row.
    return Math.min(this.#savedRows.get(buffer) ?? 0, this.#size.rows - 1);
  }

  /** Whether each line feed scrolls the whole normal screen, as soon as the cursor is at its end, and nothing is begun. */
  get isScrollingFreely(): boolean {
    const { active, normal } = this.buffers;
    const isWholeScreen = active.scrollTop === 0 && active.scrollBottom === this.#size.rows - 1;
    const isGround = this.core._inputHandler._parser.currentState === GROUND;
    return active === normal && isWholeScreen && isGround && this.unfinished.length === 0;
  }

  write(data: Uint8Array): void {
    const { _parser: parser } = this.core._inputHandler;
    for (let at = 0; at < data.length; at += PARSED_BYTES) {
      parser.parse(this.#codes, this.#decoder.decode(data.subarray(at, at + PARSED_BYTES), this.#codes));
    }
    this.#unfinished.follow(data, parser.currentState === GROUND);
  }

  resize(size: TerminalSize): void {
    this.#region = undefined;
    resizeXterm(this.#xterm, size);
    this.#size = size;
  }

  #followTrimming(): void {
    this.#normal.lines.onTrim((amount) => {
      this.#trimmedLines += amount;
      if (!this.#hasMarks || amount !== 1) return;
      // The line is used again for what comes at the bottom.
      const { lines } = this.#normal;
      const recycled = lines.get(lines.length - 1);
      if (recycled !== undefined) this.#marks.delete(recycled);
    });
  }

  #followSequences(): void {
    const { parser } = this.#xterm.terminal;
    this.#followModes();
    this.#followCursor();
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
    for (const written of ['J', '?J']) {
      const respectsProtection = written !== 'J';
      parser.registerCsiHandler(sequenceId(written), ([operation]) => operation === 1 && this.#eraseAbove(respectsProtection));
    }
    for (const final of COUNTED) this.#boundCount(final);
    this.#followOsc();
  }

  /** More than a screen is as good as a screen: xterm.js counts on, for hours if it has to, or asks for memory for all of it. */
  #boundCount(final: string): void {
    this.core._inputHandler._parser.registerCsiHandler({ final }, ({ params }) => {
      const { columns, rows } = this.#size;
      const most = final === 'b' ? columns * rows : Math.max(columns, rows);
      if ((params[0] ?? 0) > most) params[0] = most;
      return false;
    });
  }

  /** ED 1, which throws in xterm.js 6.0.0 with the cursor at the end of the last row, and takes the wrong row for the next one. */
  #eraseAbove(respectsProtection: boolean): true {
    const { active } = this.buffers;
    const { _inputHandler: handler } = this.core;
    for (let row = 0; row < active.y; row++) handler._resetBufferLine(row, respectsProtection);
    handler._eraseInBufferLine(active.y, 0, active.x + 1, true, respectsProtection);
    const next = active.y + 1 < this.#size.rows ? active.lines.get(active.ybase + active.y + 1) : undefined;
    if (next !== undefined && active.x + 1 >= this.#size.columns) next.isWrapped = false;
    return true;
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

  #followCursor(): void {
    const { parser } = this.#xterm.terminal;
    const save = () => this.#save();
    const restore = () => this.#beforeRestore();
    parser.registerEscHandler({ final: '7' }, save);
    parser.registerEscHandler({ final: '8' }, restore);
    parser.registerCsiHandler({ final: 's' }, save);
    parser.registerCsiHandler({ final: 'u' }, restore);
  }

  #followOsc(): void {
    const { parser } = this.#xterm.terminal;
    for (const number of KEPT_OSCS) {
      parser.registerOscHandler(number, (text) => {
        const body = `${number};${text}`;
        const asked = queriesOfText(']', body);
        asked.forEach((kind, at) => this.#ask(kind, [at], text));
        this.ledger.osc(body);
        return true;
      });
    }
    parser.registerOscHandler(8, (text) => {
      const pen = this.core._inputHandler._curAttrData;
      pen.extended = pen.extended.clone();
      pen.extended._urlId = this.links.open(text, () => this.#linksInUse());
      pen.updateExtended();
      return true;
    });
    parser.registerOscHandler(52, (text) => {
      if (asksForClipboard(']', `52;${text}`)) this.#ask('clipboard', [], text);
      return true;
    });
    parser.registerOscHandler(133, (text) => {
      this.#mark(text);
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
    if (final === 'h' && (mode === 1048 || mode === 1049)) this.#save();
    if (ALTERNATE_SCREENS.includes(mode)) this.#carryRegion();
    // Read before the switch: 1049 restores what the normal screen has saved.
    if (final === 'l' && (mode === 1048 || mode === 1049))
      this.#prepareRestoreOf(mode === 1049 ? this.buffers.normal : this.buffers.active);
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

  #save(): false {
    const { active } = this.buffers;
    this.#savedRows.set(active, active.y);
    return false;
  }

  #beforeRestore(): false {
    this.#prepareRestoreOf(this.buffers.active);
    return false;
  }

  #prepareRestoreOf(buffer: XtermBuffer): void {
    buffer.savedY = buffer.ybase + this.savedRow(buffer);
    // A terminal restores what is designated; xterm.js the set in use only, until the next shift.
    const { glevel, _charsets: charsets } = this.core._charsetService;
    charsets[glevel] = buffer.savedCharset;
    // A saved cursor has no link. xterm.js would keep one that is open, unseen until the next underline.
    const pen = this.core._inputHandler._curAttrData;
    if (pen.extended._urlId === 0) return;
    pen.extended = pen.extended.clone();
    pen.extended._urlId = 0;
    pen.updateExtended();
  }

  /** xterm.js makes new buffers; what was kept is kept no longer. */
  #resetAll(): void {
    this.#trimmedLines = this.historyEnd;
    this.#region = undefined;
    this.core._inputHandler.fullReset();
    this.#normal = this.buffers.normal;
    this.#history = new PackedHistory(this.#normal);
    this.#hasMarks = false;
    this.#followTrimming();
  }

  #mark(text: string): void {
    const { active, normal } = this.buffers;
    const line = active.lines.get(active.ybase + active.y);
    if (active !== normal || line === undefined || !/^[ABCDP](?:;|$)/.test(text)) return;
    this.#hasMarks = true;
    const marks = this.#marks.get(line) ?? [];
    if (marks.length < line.length) this.#marks.set(line, [...marks, { column: Math.min(active.x, line.length - 1), text }]);
  }

  #linksInUse(): ReadonlySet<number> {
    const used = new Set<number>([this.core._inputHandler._curAttrData.extended._urlId]);
    for (const buffer of [this.buffers.normal, this.buffers.alt]) {
      for (let at = 0; at < buffer.lines.length; at++) {
        const beside = buffer === this.#normal ? this.#history.beside(at) : buffer.lines.get(at);
        for (const extended of Object.values(beside?._extendedAttrs ?? {})) if (extended !== undefined) used.add(extended._urlId);
      }
    }
    return used;
  }
}

/** As it was written, as far as it matters: `4:3;1`. */
function joinParameters(parameters: readonly (number | readonly number[])[]): string {
  return parameters
    .map((parameter) => (typeof parameter === 'number' ? String(parameter) : `:${parameter.join(':')}`))
    .join(';')
    .replaceAll(';:', ':');
}
