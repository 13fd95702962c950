/** Private modes that a terminal has by itself; all others are off (DEC STD 070, xterm ctlseqs). */
const ON_BY_DEFAULT: ReadonlySet<number> = new Set([7, 25]);
/** Only one of these is in force: the last. Switching any of them off switches mouse reports off, as xterm does it. */
const MOUSE_PROTOCOLS: readonly number[] = [9, 1000, 1001, 1002, 1003];
export const ALTERNATE_SCREENS: readonly number[] = [47, 1047, 1049];
const OTHER_MODES: readonly number[] = [
  1, 5, 6, 7, 12, 25, 45, 66, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2026, 2027, 2031, 2048, 9001,
];
/** The private modes that are kept: those that a user sets, or that ask something of the terminal, are none of ours. */
export const KEPT_MODES: ReadonlySet<number> = new Set([...OTHER_MODES, ...MOUSE_PROTOCOLS]);
/** What a terminal tells unasked: the mouse, its focus, its colours, its size, and releases of keys. */
const REPORTS: readonly number[] = [...MOUSE_PROTOCOLS, 1004, 2031, 2048, 9001];
/** Of the kitty keyboard protocol: releases of keys are told too. */
const REPORTS_EVENTS = 2;
/** DECLRMM: that margins are set left and right, too. The model has none, so that nobody is told of the mode. */
const SIDE_MARGINS = 69;
/** What a soft reset puts back (DEC STD 070); mouse and paste are the user interface of a newer time. */
const SOFT_RESET_MODES: readonly number[] = [1, 6, 7, 25, 66];
/** A program that pushes and never pops must not grow without bound; kitty keeps as many. */
const STACK_MAXIMUM = 16;
const TEXT_LENGTH_MAXIMUM = 4096;

export type ScreenName = 'normal' | 'alternate';

/**
 * Remembers what a program set of its terminal beside the cells: for a terminal that is to be brought to the same, and
 * for one that is to be put back. It is told of control sequences by whoever parses them.
 */
export class ModeLedger {
  /** Modes that are not as they are by default; the one that was set last comes last. */
  readonly modes = new Map<number, boolean>();
  readonly #savedModes = new Map<number, boolean>();
  /** Flags of the kitty keyboard protocol, for each screen a stack; the last is in force. */
  kittyKeys: Record<ScreenName, number[]> = { normal: [], alternate: [] };
  /** Which mode switched to the alternate screen. */
  alternateScreen: number | undefined;
  /** modifyOtherKeys, 0 when off. */
  otherKeys = 0;
  /** DECSCUSR, 0 for the user's own. */
  cursorStyle = 0;
  title: string | undefined;
  iconTitle: string | undefined;
  titleStack: { readonly title: string | undefined; readonly iconTitle: string | undefined }[] = [];
  /** Colours by index, as the program wrote them. */
  readonly palette = new Map<number, string>();
  /** OSC 10 to 19 by number. */
  readonly dynamicColours = new Map<number, string>();
  /** OSC 7. */
  directory: string | undefined;
  isInsert = false;
  isNewline = false;
  /** Synchronized updates that were begun. */
  updates = 0;
  hasPen = false;
  hasLink = false;
  hasScrollRegion = false;
  hasTabStops = false;
  hasCharsets = false;
  hasSideMargins = false;
  /** S8C1T: keys come with controls of C1, of which each is one byte. */
  hasShortControls = false;
  /** DECSCA and SPA: what is written cannot be erased. */
  isProtecting = false;
  /** ISO 2022: another encoding than UTF-8. */
  hasOtherEncoding = false;
  /** OSC 9;4: how far something is, which terminals show beside the screen until it is taken away. */
  hasProgress = false;
  /** The console of Linux: its colours by ESC ] P, and how its cursor looks by CSI ? c, '' for as usual (console_codes(4)). */
  hasConsoleColours = false;
  consoleCursor = '';

  get screen(): ScreenName {
    return this.alternateScreen === undefined ? 'normal' : 'alternate';
  }

  /** The terminal may send what nobody has typed. */
  get hasReports(): boolean {
    const keys = this.kittyKeys[this.screen].at(-1) ?? 0;
    return (keys & REPORTS_EVENTS) !== 0 || REPORTS.some((mode) => this.modes.get(mode) === true);
  }

  isOn(mode: number): boolean {
    return this.modes.get(mode) ?? ON_BY_DEFAULT.has(mode);
  }

  csi(prefix: string, parameters: string, middle: string, final: string): void {
    switch (`${prefix}${middle}${final}`) {
      case '?h':
      case '?l':
        for (const mode of numbers(parameters)) this.#setMode(mode, final === 'h');
        return;
      case 'h':
      case 'l':
        for (const mode of numbers(parameters)) this.#setAnsiMode(mode, final === 'h');
        return;
      case '?s':
        for (const mode of numbers(parameters)) if (KEPT_MODES.has(mode)) this.#savedModes.set(mode, this.isOn(mode));
        return;
      case '?r':
        for (const mode of numbers(parameters)) this.#setMode(mode, this.#savedModes.get(mode) ?? this.isOn(mode));
        return;
      case 'm':
        this.hasPen = !/^0*$/.test(parameters);
        return;
      case 'r':
        this.hasScrollRegion = parameters !== '';
        return;
      case 'g':
        this.hasTabStops = true;
        return;
      case ' q':
        this.cursorStyle = numbers(parameters)[0] ?? 1;
        return;
      case '"q':
        this.isProtecting = numbers(parameters)[0] === 1;
        return;
      case '"p':
        this.#setLevel(numbers(parameters));
        return;
      case '!p':
        this.#softReset();
        return;
      case '?c':
        this.consoleCursor = /^0*$/.test(parameters) ? '' : parameters;
        return;
      case 't':
        this.#moveTitle(numbers(parameters)[0] ?? 0);
        return;
      default:
        if (final === 'u' || (prefix === '>' && final === 'm')) this.#setKeys(prefix, parameters, final);
    }
  }

  escape(middle: string, final: string): void {
    if (middle === '') {
      if (final === 'c') this.reset();
      else if (final === '=' || final === '>') this.#setMode(66, final === '=');
      else if (final === 'H') this.hasTabStops = true;
      else if (final === 'V' || final === 'W') this.isProtecting = final === 'V';
      else if ('no|}~N'.includes(final)) this.hasCharsets = true;
    } else if ('()*+-./'.includes(middle)) {
      this.hasCharsets = true;
    } else if (middle === ' ' && 'FG'.includes(final)) {
      this.hasShortControls = final === 'G';
    } else if (middle === '%') {
      this.hasOtherEncoding = final === '@';
    }
  }

  /** An OSC, without its introducer and terminator. */
  osc(body: string): void {
    if (/^[PR]/.test(body)) this.hasConsoleColours = body.startsWith('P');
    const at = body.indexOf(';');
    const number = Number(at < 0 ? body : body.slice(0, at));
    const text = at < 0 ? '' : body.slice(at + 1);
    if (text.length > TEXT_LENGTH_MAXIMUM) return;
    if (number === 0 || number === 2) this.title = text;
    if (number === 0 || number === 1) this.iconTitle = text;
    if (number === 4) this.#setPalette(text.split(';'));
    else if (number === 104) this.#resetPalette(text);
    else if (number >= 10 && number <= 19) this.#setDynamic(number, text.split(';'));
    else if (number >= 110 && number <= 119) this.dynamicColours.delete(number - 100);
    else if (number === 9 && /^4(?:;|$)/.test(text)) this.hasProgress = /^4;[1-4]/.test(text);
    else if (number === 7) this.directory = text;
    else if (number === 8) this.hasLink = !text.endsWith(';') && text.includes(';');
  }

  /** An update that lasts for too long is over: terminals show what there is. */
  endUpdate(): void {
    this.modes.delete(2026);
  }

  /** As a terminal is that was just switched on. */
  reset(): void {
    this.modes.clear();
    this.#savedModes.clear();
    this.kittyKeys = { normal: [], alternate: [] };
    this.alternateScreen = undefined;
    this.otherKeys = 0;
    this.cursorStyle = 0;
    this.palette.clear();
    this.dynamicColours.clear();
    this.isInsert = false;
    this.isNewline = false;
    this.hasPen = false;
    this.hasLink = false;
    this.hasScrollRegion = false;
    this.hasTabStops = false;
    this.hasCharsets = false;
    this.hasSideMargins = false;
    this.hasShortControls = false;
    this.isProtecting = false;
    this.hasOtherEncoding = false;
    this.hasProgress = false;
    this.hasConsoleColours = false;
    this.consoleCursor = '';
  }

  #softReset(): void {
    for (const mode of SOFT_RESET_MODES) this.modes.delete(mode);
    this.isInsert = false;
    this.hasPen = false;
    this.hasScrollRegion = false;
    this.hasCharsets = false;
  }

  #setMode(mode: number, isOn: boolean): void {
    if (ALTERNATE_SCREENS.includes(mode)) {
      if (!isOn) this.alternateScreen = undefined;
      else this.alternateScreen ??= mode;
      return;
    }
    if (mode === SIDE_MARGINS) this.hasSideMargins = isOn;
    if (!KEPT_MODES.has(mode)) return;
    if (MOUSE_PROTOCOLS.includes(mode)) for (const protocol of MOUSE_PROTOCOLS) this.modes.delete(protocol);
    this.modes.delete(mode);
    if (mode === 2026 && isOn) this.updates += 1;
    if (isOn !== ON_BY_DEFAULT.has(mode)) this.modes.set(mode, isOn);
  }

  #setAnsiMode(mode: number, isOn: boolean): void {
    if (mode === 4) this.isInsert = isOn;
    else if (mode === 20) this.isNewline = isOn;
  }

  /** https://sw.kovidgoyal.net/kitty/keyboard-protocol/#progressive-enhancement */
  #setKeys(prefix: string, parameters: string, final: string): void {
    if (final === 'm') {
      const [resource, level = 0] = numbers(parameters);
      if (resource === 4 || resource === undefined) this.otherKeys = level;
      return;
    }
    const stack = this.kittyKeys[this.screen];
    const [first, second] = numbers(parameters);
    if (prefix === '>') {
      stack.push(first ?? 0);
      if (stack.length > STACK_MAXIMUM) stack.shift();
    } else if (prefix === '<') {
      stack.splice(Math.max(0, stack.length - (first || 1)));
    } else if (prefix === '=') {
      const flags = first ?? 0;
      const before = stack.pop() ?? 0;
      stack.push(second === 2 ? before | flags : second === 3 ? before & ~flags : flags);
    }
  }

  /** DECSCL: of the first level are no controls of C1; of the others they are short unless it says otherwise. */
  #setLevel([level = 0, controls = 0]: readonly number[]): void {
    this.hasShortControls = level > 61 && controls !== 1;
  }

  #moveTitle(operation: number): void {
    if (operation === 22) {
      this.titleStack.push({ title: this.title, iconTitle: this.iconTitle });
      if (this.titleStack.length > STACK_MAXIMUM) this.titleStack.shift();
    } else if (operation === 23) {
      const before = this.titleStack.pop();
      if (before !== undefined) ({ title: this.title, iconTitle: this.iconTitle } = before);
    }
  }

  #setPalette(fields: readonly string[]): void {
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [index, colour = '?'] = [Number(fields[at]), fields[at + 1]];
      if (colour !== '?' && Number.isInteger(index) && index >= 0 && index < 256) this.palette.set(index, colour);
    }
  }

  #resetPalette(text: string): void {
    if (text === '') this.palette.clear();
    else for (const index of text.split(';')) this.palette.delete(Number(index));
  }

  #setDynamic(number: number, colours: readonly string[]): void {
    colours.forEach((colour, at) => {
      if (colour !== '?' && number + at <= 19) this.dynamicColours.set(number + at, colour);
    });
  }
}

/** The numbers before any colon; what is left out is 0. */
export function numbers(parameters: string): number[] {
  return parameters === '' ? [] : parameters.split(';').map((parameter) => Number.parseInt(parameter, 10) || 0);
}
