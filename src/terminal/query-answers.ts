import type { TerminalSize } from '../ports/pty.ts';
import { CELL_WORDS, CODE_MASK } from './cell-layout.ts';
import { KEPT_MODES, type ModeLedger } from './mode-ledger.ts';
import { attributeParameters } from './pen.ts';
import type { XtermBuffer, XtermCore } from './xterm.ts';
import { paletteHex } from './xterm-colours.ts';

export interface QueryContext {
  readonly kind: string;
  readonly parameters: readonly number[];
  /** Of a string sequence. */
  readonly body: string;
  readonly size: TerminalSize;
  readonly ledger: ModeLedger;
  readonly core: XtermCore;
  readonly buffer: XtermBuffer;
}

/** A terminal without pixels says how large a cell would be: programs that scale pictures divide by it. */
const CELL_PIXELS = { width: 8, height: 16 };
/** Of a dark terminal, as xterm gives colours. */
const DEFAULT_COLOURS: Readonly<Record<number, string>> = {
  10: 'rgb:d0d0/d0d0/d0d0',
  11: 'rgb:0000/0000/0000',
  12: 'rgb:d0d0/d0d0/d0d0',
};
const NAME = 'nono';
/** Hexadecimal names that XTGETTCAP asks for, and what the model can. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ['TN', 'xterm-256color'],
  ['Co', '256'],
  ['RGB', '8'],
]);
const STRING_END = '\x1b\\';
/** All but the letters of selections (xterm ctlseqs, OSC 52). */
const NO_SELECTION_REGEXP = /[^cpqs0-7]/g;
const HEX_NAME_REGEXP = /^(?:[\da-f]{2})+$/i;

/**
 * What the model says to a question of the program, '' where a terminal would say nothing. It is typed, and who reads it may be a shell that has only shown
 * somebody's text: nothing of the question is said again but what has the form of a number, a colour or a name in hexadecimal.
 */
export function answerQuery(context: QueryContext): string {
  const { kind, parameters, body, size, ledger } = context;
  const [first = 0] = parameters;
  switch (kind) {
    case 'da1':
      return '\x1b[?62;22c';
    case 'da2':
      return '\x1b[>41;390;0c';
    case 'da3':
      return `\x1bP!|00000000${STRING_END}`;
    case 'status':
      return '\x1b[0n';
    case 'cursor':
    case 'dec-cursor':
      return `\x1b[${kind === 'cursor' ? '' : '?'}${cursorPosition(context)}R`;
    case 'dec-status':
      return first === 996 ? '\x1b[?997;1n' : '';
    case 'mode':
      return `\x1b[${first};${ansiMode(first, ledger)}$y`;
    case 'dec-mode':
    case 'side-margins':
      return `\x1b[?${first};${decMode(first, ledger, context.core)}$y`;
    case 'kitty-keys':
      return `\x1b[?${ledger.kittyKeys[ledger.screen].at(-1) ?? 0}u`;
    case 'other-keys':
      return `\x1b[>4;${ledger.otherKeys}m`;
    case 'version':
      return `\x1bP>|${NAME}${STRING_END}`;
    case 'window':
      return windowReport(first, size);
    case 'checksum':
      return checksum(context);
    case 'setting':
      return setting(context);
    case 'capability':
      return body.split(';').map(capability).join('');
    case 'clipboard':
      // Nobody is told what is in it; an empty one keeps the program from waiting.
      return `\x1b]52;${(body.split(';')[0] ?? '').replaceAll(NO_SELECTION_REGEXP, '')};${STRING_END}`;
    default:
      return colour(context);
  }
}

function cursorPosition({ buffer, size, core }: QueryContext): string {
  const { origin } = core.coreService.decPrivateModes;
  const row = buffer.y - (origin ? buffer.scrollTop : 0);
  return `${row + 1};${Math.min(buffer.x + 1, size.columns)}`;
}

/** DECRPM: 0 unknown, 1 set, 2 reset. */
function ansiMode(mode: number, ledger: ModeLedger): number {
  if (mode === 4) return ledger.isInsert ? 1 : 2;
  return mode === 20 ? (ledger.isNewline ? 1 : 2) : 0;
}

function decMode(mode: number, ledger: ModeLedger, core: XtermCore): number {
  if ([47, 1047, 1049].includes(mode)) return ledger.alternateScreen === undefined ? 2 : 1;
  if (mode === 6) return core.coreService.decPrivateModes.origin ? 1 : 2;
  if (!KEPT_MODES.has(mode)) return 0;
  return ledger.isOn(mode) ? 1 : 2;
}

function windowReport(operation: number, { columns, rows }: TerminalSize): string {
  const { width, height } = CELL_PIXELS;
  switch (operation) {
    case 11:
      return '\x1b[1t';
    case 13:
      return '\x1b[3;0;0t';
    case 14:
    case 15:
      return `\x1b[${operation === 14 ? 4 : 5};${rows * height};${columns * width}t`;
    case 16:
      return `\x1b[6;${height};${width}t`;
    case 18:
    case 19:
      return `\x1b[${operation === 18 ? 8 : 9};${rows};${columns}t`;
    // A title could hold what somebody wants typed into the program: it is not told.
    case 20:
      return `\x1b]L${STRING_END}`;
    case 21:
      return `\x1b]l${STRING_END}`;
    default:
      return '';
  }
}

/** DECRQCRA as xterm counts by default: the sum of the characters, negated. */
function checksum({ parameters, buffer, size }: QueryContext): string {
  const [identifier = 0, , top = 1, left = 1, bottom = size.rows, right = size.columns] = parameters;
  let sum = 0;
  for (let row = Math.max(1, top); row <= Math.min(bottom || size.rows, size.rows); row++) {
    const line = buffer.lines.get(buffer.ybase + row - 1);
    for (let column = Math.max(1, left); column <= Math.min(right || size.columns, size.columns); column++) {
      sum += (line?._data[(column - 1) * CELL_WORDS] ?? 0) & CODE_MASK || 0x20;
    }
  }
  return `\x1bP${identifier}!~${(-sum & 0xffff).toString(16).toUpperCase().padStart(4, '0')}${STRING_END}`;
}

function setting({ body, buffer, ledger, core }: QueryContext): string {
  if (body === 'r') return `\x1bP1$r${buffer.scrollTop + 1};${buffer.scrollBottom + 1}r${STRING_END}`;
  if (body === ' q') return `\x1bP1$r${ledger.cursorStyle} q${STRING_END}`;
  if (body === 'm') {
    const { fg, bg, extended } = core._inputHandler._curAttrData;
    return `\x1bP1$r${['0', ...attributeParameters(fg, bg, extended._ext)].join(';')}m${STRING_END}`;
  }
  return `\x1bP0$r${STRING_END}`;
}

function capability(name: string): string {
  if (!HEX_NAME_REGEXP.test(name)) return `\x1bP0+r${STRING_END}`;
  const value = CAPABILITIES.get(Buffer.from(name, 'hex').toString('latin1'));
  if (value === undefined) return `\x1bP0+r${name}${STRING_END}`;
  return `\x1bP1+r${name}=${Buffer.from(value, 'latin1').toString('hex').toUpperCase()}${STRING_END}`;
}

/** OSC 4 of one index, or OSC 10 to 19. */
function colour({ kind, parameters: [index = Number.NaN], ledger }: QueryContext): string {
  const number = Number(/^osc(?<number>\d+)$/.exec(kind)?.groups?.['number'] ?? Number.NaN);
  if (number === 4) {
    return Number.isInteger(index)
      ? `\x1b]4;${index};${asComponents(ledger.palette.get(index)) ?? paletteColour(index)}${STRING_END}`
      : '';
  }
  const set = asComponents(ledger.dynamicColours.get(number)) ?? DEFAULT_COLOURS[number];
  return set === undefined ? '' : `\x1b]${number};${set}${STRING_END}`;
}

/** A colour as xterm says it, of four digits for each component, however it was set: `#rgb` to `#rrrrggggbbbb`, or `rgb:r/g/b`. Undefined for names. */
function asComponents(written: string | undefined): string | undefined {
  if (written === undefined) return undefined;
  const digits = /^#(?<digits>(?:[\da-f]{3}){1,4})$/i.exec(written)?.groups?.['digits'];
  const third = (digits?.length ?? 0) / 3;
  const parts =
    digits === undefined
      ? /^rgb:(?<parts>[\da-f]{1,4}\/[\da-f]{1,4}\/[\da-f]{1,4})$/i.exec(written)?.groups?.['parts']?.split('/')
      : [0, 1, 2].map((part) => digits.slice(part * third, (part + 1) * third));
  return parts === undefined ? undefined : `rgb:${parts.map((part) => part.repeat(4).slice(0, 4)).join('/')}`;
}

function paletteColour(index: number): string {
  const hex = paletteHex(index);
  return `rgb:${[0, 2, 4].map((at) => hex.slice(at, at + 2).repeat(2)).join('/')}`;
}
