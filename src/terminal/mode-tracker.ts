import { bytesFromBuffer } from '../bytes.ts';

/** Private modes that a terminal has by itself; all others are off (DEC STD 070, xterm ctlseqs). */
const ON_BY_DEFAULT: ReadonlySet<number> = new Set([7, 25]);
/**
 * The modes that are put back, in this order: the alternate screen last, so that what belongs to it is
 * left before. Modes that ask something of the terminal or that a user sets (such as 3, 40) are none of ours.
 */
const RESET_ORDER = [
  2026, 1, 7, 9, 12, 25, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2031, 2048, 47, 1047, 1049,
] as const;
const RESTORED: ReadonlySet<number> = new Set(RESET_ORDER);
/** A sequence that is longer is none of those that are looked for. */
const SEQUENCE_LENGTH_MAXIMUM = 64;

const CONTROL_REGEXP = /\x1b(?:\[(?<prefix>[?<>=]?)(?<parameters>[\d;:]*)(?<middle>[ !$]?)(?<final>[@-~])|(?<single>[=>c]))/g;
/** What may become one of them with the next piece. */
const UNFINISHED_REGEXP = /\x1b(?:\[[?<>=]?[\d;:]*[ !$]?)?$/;

/** Remembers what a program changed of a terminal, so that it can be changed back. */
export class ModeTracker {
  readonly #changed = new Set<number>();
  #rest = '';
  #hasKeypad = false;
  #hasCursorStyle = false;
  #hasScrollRegion = false;
  #hasPen = false;
  #hasOtherKeys = false;
  #kittyDepth = 0;

  push(data: Uint8Array): void {
    const text = this.#rest + bytesFromBuffer(data);
    for (const { groups } of text.matchAll(CONTROL_REGEXP)) this.#apply(groups ?? {});
    const unfinished = UNFINISHED_REGEXP.exec(text)?.[0] ?? '';
    this.#rest = unfinished.length <= SEQUENCE_LENGTH_MAXIMUM ? unfinished : '';
  }

  /** What puts the terminal back; '' when nothing is to be put back. After it, nothing is. */
  restore(): string {
    const modes = RESET_ORDER.filter((mode) => this.#changed.has(mode)).map(
      (mode) => `\x1b[?${mode}${ON_BY_DEFAULT.has(mode) ? 'h' : 'l'}`,
    );
    const text = [
      this.#hasPen ? '\x1b[0m' : '',
      this.#hasScrollRegion ? '\x1b7\x1b[r\x1b8' : '',
      this.#kittyDepth > 0 ? `\x1b[<${this.#kittyDepth}u` : '',
      this.#hasOtherKeys ? '\x1b[>4m' : '',
      this.#hasKeypad ? '\x1b>' : '',
      this.#hasCursorStyle ? '\x1b[0 q' : '',
      ...modes,
    ].join('');
    this.#forget();
    return text;
  }

  #apply({ prefix = '', parameters = '', middle = '', final = '', single }: Readonly<Record<string, string | undefined>>): void {
    if (single !== undefined) {
      if (single === 'c') this.#forget();
      else this.#hasKeypad = single === '=';
    } else if (prefix === '?' && (final === 'h' || final === 'l')) {
      for (const mode of parameters.split(';').map(Number)) this.#setMode(mode, final === 'h');
    } else if (final === 'u' && (prefix === '>' || prefix === '<')) {
      const count = prefix === '>' ? 1 : -(Number(parameters) || 1);
      this.#kittyDepth = Math.max(0, this.#kittyDepth + count);
    } else if (prefix === '>' && final === 'm') {
      this.#hasOtherKeys = /^4;[12]/.test(parameters);
    } else if (prefix === '' && final === 'm') {
      this.#hasPen = !/^0*$/.test(parameters);
    } else if (middle === ' ' && final === 'q') {
      this.#hasCursorStyle = !/^0*$/.test(parameters);
    } else if (prefix === '' && middle === '' && final === 'r') {
      this.#hasScrollRegion = parameters !== '';
    }
  }

  #setMode(mode: number, isOn: boolean): void {
    if (!RESTORED.has(mode)) return;
    if (isOn === ON_BY_DEFAULT.has(mode)) this.#changed.delete(mode);
    else this.#changed.add(mode);
  }

  #forget(): void {
    this.#changed.clear();
    this.#hasKeypad = false;
    this.#hasCursorStyle = false;
    this.#hasScrollRegion = false;
    this.#hasPen = false;
    this.#hasOtherKeys = false;
    this.#kittyDepth = 0;
  }
}
