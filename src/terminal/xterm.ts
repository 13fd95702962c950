// oxlint-disable-next-line import/no-unassigned-import -- it is imported for what it does
import './own-buffers.ts';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { Terminal } from '@xterm/headless';
import type { TerminalSize } from '../ports/pty.ts';
import type { SequenceId } from './sequence-ids.ts';

/**
 * What of @xterm/headless 6.0.0 is read beyond its public interface. The public one has a cell at a time, nothing of the
 * saved cursor, the scroll region, tab stops and character sets, and parses only some time later. A unit test holds the
 * installed version to these names.
 */
export interface XtermLine {
  isWrapped: boolean;
  /** Three words for each cell: content, foreground, background. */
  readonly _data: Uint32Array;
  readonly _combined: Readonly<Record<number, string | undefined>>;
  readonly _extendedAttrs: Readonly<Record<number, XtermExtended | undefined>>;
  readonly length: number;
  translateToString(trimsBlanks: boolean): string;
  resize(columns: number, fill: unknown): unknown;
  getWidth(column: number): number;
}

/** Underline style and colour in one word, and the number of a link. */
export interface XtermExtended {
  readonly _ext: number;
  _urlId: number;
  clone(): XtermExtended;
}

export interface XtermPen {
  fg: number;
  bg: number;
  extended: XtermExtended;
  updateExtended(): void;
}

type Charset = Readonly<Record<string, string>> | undefined;

export interface XtermBuffer {
  readonly x: number;
  readonly y: number;
  ybase: number;
  ydisp: number;
  scrollTop: number;
  scrollBottom: number;
  readonly tabs: Readonly<Record<number, boolean | undefined>>;
  readonly savedX: number;
  savedY: number;
  readonly savedCurAttrData: XtermPen;
  readonly savedCharset: Charset;
  readonly lines: {
    readonly length: number;
    maxLength: number;
    get(at: number): XtermLine | undefined;
    set(at: number, line: XtermLine | undefined): void;
    /** Makes the first line the last one, for what comes at the bottom. */
    recycle(): XtermLine;
    trimStart(count: number): void;
    onTrim(listener: (amount: number) => void): unknown;
  };
  /** As wide as the terminal, in the default look. */
  getBlankLine(): XtermLine;
  getNullCell(): unknown;
  /** Stays with its line when that moves; -1 when the line is gone. */
  addMarker(line: number): { readonly line: number; dispose(): void };
}

/** Code points of a string sequence, from `start` to before `end`. */
export type PutString = (codes: Uint32Array, start: number, end: number) => void;

export interface XtermCore {
  readonly _inputHandler: {
    fullReset(): boolean;
    _resetBufferLine(row: number, respectsProtection: boolean): void;
    _eraseInBufferLine(row: number, from: number, to: number, clearsWrap: boolean, respectsProtection: boolean): void;
    readonly _curAttrData: XtermPen;
    readonly _parser: {
      readonly currentState: number;
      parse(codes: Uint32Array, length: number): unknown;
      readonly _oscParser: { start(): void; put: PutString };
      readonly _dcsParser: { hook(identifier: number, parameters: unknown): void; put: PutString };
      /** Of all terminals. */
      readonly _transitions: { add(code: number, state: number, action: number, next: number): void };
      /** Unlike those of the public interface a handler can change the parameters for whoever comes after it. */
      registerCsiHandler(id: SequenceId, handler: (parameters: { readonly params: Int32Array }) => boolean): unknown;
    };
  };
  readonly _bufferService: {
    readonly buffers: {
      readonly normal: XtermBuffer;
      readonly alt: XtermBuffer;
      readonly active: XtermBuffer;
      onBufferActivate(listener: (change: { readonly activeBuffer: XtermBuffer }) => void): unknown;
    };
  };
  readonly unicodeService: {
    /** Of a character behind another one's: the lowest bit says that both are drawn as one, the next two how wide that is. */
    charProperties(codePoint: number, preceding: number): number;
  };
  readonly _charsetService: { readonly glevel: number; readonly _charsets: Charset[] };
  readonly coreService: {
    readonly decPrivateModes: {
      readonly origin: boolean;
      readonly wraparound: boolean;
    };
    readonly modes: { readonly insertMode: boolean };
  };
}

export interface Xterm {
  readonly terminal: Terminal;
  readonly core: XtermCore;
}

/** The smallest terminal that the model can be. */
const COLUMNS_MINIMUM = 2;

export function createXterm(size: TerminalSize, scrollbackLines: number): Xterm {
  const terminal = new Terminal({
    cols: Math.max(size.columns, COLUMNS_MINIMUM),
    rows: size.rows,
    scrollback: scrollbackLines,
    // For the parser hooks and the table of widths.
    allowProposedApi: true,
    logLevel: 'off',
    // Without a word for each, hooks of CSI t are passed over.
    windowOptions: {
      getWinState: true,
      getWinPosition: true,
      getWinSizePixels: true,
      getScreenSizePixels: true,
      getCellSizePixels: true,
      getWinSizeChars: true,
      getScreenSizeChars: true,
      getIconTitle: true,
      getWinTitle: true,
      pushTitle: true,
      popTitle: true,
    },
  });
  terminal.loadAddon(new UnicodeGraphemesAddon());
  return { terminal, core: (terminal as unknown as { readonly _core: XtermCore })._core };
}

export function resizeXterm({ terminal, core }: Xterm, { columns, rows }: TerminalSize): void {
  const width = Math.max(columns, COLUMNS_MINIMUM);
  const isNarrower = width < terminal.cols;
  terminal.resize(width, rows);
  const { normal, alt } = core._bufferService.buffers;
  // xterm.js leaves what is to the right of a narrower alternate screen: nothing erases it there.
  for (let at = 0; at < alt.lines.length; at++) alt.lines.get(at)?.resize(width, alt.getNullCell());
  // Nor does one that is not shown get lower: it would have lines above it then.
  if (alt.lines.length === 0) alt.lines.maxLength = rows;
  if (!isNarrower) return;
  eraseHalves(alt, width);
  // The line that the cursor is on is cut like those, and not wrapped.
  eraseHalves(normal, width);
}

/** Of a wide character whose right half was cut off the other half is none. */
function eraseHalves(buffer: XtermBuffer, width: number): void {
  const { lines } = buffer;
  const blank = buffer.getNullCell();
  for (let at = 0; at < lines.length; at++) {
    const line = lines.get(at);
    if (line?.getWidth(width - 1) !== 2) continue;
    line.resize(width - 1, blank);
    line.resize(width, blank);
  }
}
