import type { LinkTable } from './link-table.ts';
import type { XtermExtended } from './xterm.ts';

/** Bits of the foreground word of @xterm/headless. */
const INVERSE = 0x4000000;
const BOLD = 0x8000000;
const UNDERLINE = 0x10000000;
const BLINK = 0x20000000;
const INVISIBLE = 0x40000000;
const STRIKETHROUGH = 0x80000000;
/** Bits of the background word. */
const ITALIC = 0x4000000;
const DIM = 0x8000000;
export const HAS_EXTENDED = 0x10000000;
const PROTECTED = 0x20000000;
const OVERLINE = 0x40000000;
/** Both words: a mode and a value. */
const COLOUR_MODE = 0x3000000;
const COLOUR_16 = 0x1000000;
const COLOUR_256 = 0x2000000;
const COLOUR_RGB = 0x3000000;
export const COLOUR_BITS = 0x3ffffff;
/** SGR 59 leaves all bits of the colour set. */
const NO_UNDERLINE_COLOUR = 0x3ffffff;

const FOREGROUND_FLAGS: readonly (readonly [flag: number, parameter: string])[] = [
  [BOLD, '1'],
  [BLINK, '5'],
  [INVERSE, '7'],
  [INVISIBLE, '8'],
  [STRIKETHROUGH, '9'],
];
const BACKGROUND_FLAGS: readonly (readonly [flag: number, parameter: string])[] = [
  [DIM, '2'],
  [ITALIC, '3'],
  [OVERLINE, '53'],
];

/** Writes what makes a terminal's pen that of a cell; the terminal's pen is the default one at first. */
export class PenWriter {
  readonly #links: LinkTable;
  readonly #known = new Map<string, string>();
  #foreground = 0;
  #background = 0;
  #extended: XtermExtended | undefined;
  #link = 0;
  #isProtected = false;

  constructor(links: LinkTable) {
    this.#links = links;
  }

  get hasBackground(): boolean {
    return (this.#background & COLOUR_BITS) !== 0;
  }

  /** @returns '' when the pen is that already. */
  change(foreground: number, background: number, extended: XtermExtended | undefined): string {
    const more = (background & HAS_EXTENDED) === 0 ? undefined : extended;
    if (foreground === this.#foreground && background === this.#background && more === this.#extended) return '';
    const changed =
      this.#changeLink(more) + this.#changeAttributes(foreground, background, more) + this.#changeProtection(background);
    this.#foreground = foreground;
    this.#background = background;
    this.#extended = more;
    return changed;
  }

  /** The default pen, without a link. */
  reset(): string {
    return this.change(0, 0, undefined);
  }

  #changeLink(extended: XtermExtended | undefined): string {
    const link = extended?._urlId ?? 0;
    if (link === this.#link) return '';
    this.#link = link;
    const text = this.#links.textOf(link);
    return text === '' ? '\x1b]8;;\x1b\\' : `\x1b]8;${text}\x1b\\`;
  }

  #changeProtection(background: number): string {
    const isProtected = (background & PROTECTED) !== 0;
    // xterm.js takes SGR 0 for an end of the protection too, others do not.
    if (!isProtected && !this.#isProtected) return '';
    this.#isProtected = isProtected;
    return `\x1b[${isProtected ? 1 : 0}"q`;
  }

  #changeAttributes(foreground: number, background: number, extended: XtermExtended | undefined): string {
    const key = `${foreground};${background & ~(HAS_EXTENDED | PROTECTED)};${extended?._ext ?? 0}`;
    let sequence = this.#known.get(key);
    if (sequence === undefined) {
      const parameters = attributeParameters(foreground, background, extended?._ext ?? 0);
      sequence = parameters.length === 0 ? '\x1b[m' : `\x1b[0;${parameters.join(';')}m`;
      this.#known.set(key, sequence);
    }
    return sequence;
  }
}

/** SGR parameters that make the attributes out of the default ones. */
export function attributeParameters(foreground: number, background: number, extended: number): readonly string[] {
  const underlineColour = extended & COLOUR_BITS;
  return [
    ...FOREGROUND_FLAGS.filter(([flag]) => (foreground & flag) !== 0).map(([, parameter]) => parameter),
    ...BACKGROUND_FLAGS.filter(([flag]) => (background & flag) !== 0).map(([, parameter]) => parameter),
    ...((foreground & UNDERLINE) === 0 ? [] : [underline((extended >> 26) & 7)]),
    ...colourParameters(foreground & COLOUR_BITS, 30, 90, '38'),
    ...colourParameters(background & COLOUR_BITS, 40, 100, '48'),
    ...(underlineColour === NO_UNDERLINE_COLOUR ? [] : underlineColourParameters(underlineColour)),
  ];
}

function underline(style: number): string {
  return style <= 1 ? '4' : `4:${style}`;
}

function colourParameters(colour: number, first: number, firstBright: number, extended: string): readonly string[] {
  const index = colour & 0xff;
  switch (colour & COLOUR_MODE) {
    case COLOUR_16:
      return [String(index < 8 ? first + index : firstBright + index - 8)];
    case COLOUR_256:
      return [`${extended};5;${index}`];
    case COLOUR_RGB:
      return [`${extended};2;${(colour >> 16) & 0xff};${(colour >> 8) & 0xff};${index}`];
    default:
      return [];
  }
}

/** With colons: a terminal that does not know 58 passes over it as a whole. */
function underlineColourParameters(colour: number): readonly string[] {
  const index = colour & 0xff;
  switch (colour & COLOUR_MODE) {
    case COLOUR_256:
      return [`58:5:${index}`];
    case COLOUR_RGB:
      return [`58:2::${(colour >> 16) & 0xff}:${(colour >> 8) & 0xff}:${index}`];
    default:
      return [];
  }
}
