import { endOfConsoleColour } from './console-colours.ts';
import {
  C1,
  ESCAPE,
  endOfBody,
  endOfC1Osc,
  endOfControls,
  endOfCsi,
  endOfEscape,
  endOfString,
  isBetween,
  isCarriedOut,
} from './sequence-ends.ts';

/** The parts of a control sequence: CSI, an escape with its characters, or a string (OSC, DCS, APC, PM, SOS). */
export interface ControlHandlers {
  /** @param parameters Digits, `;` and `:` as they were written. @returns 'drop' when it is not to be passed on. */
  readonly csi?: (prefix: string, parameters: string, middle: string, final: string) => 'drop' | undefined;
  /** SGR, told apart since most sequences are one. @param isSet Whether it sets anything, rather than ending everything. */
  readonly pen?: (isSet: boolean) => void;
  readonly escape?: (middle: string, final: string) => void;
  /** @param introducer The character after the escape: `]`, `P`, `_`, `^`, `X`, or `k` for the name of a window of screen and tmux. */
  readonly text?: (introducer: string, body: string) => 'drop' | undefined;
  /** The beginning of a string that is too long to be kept: 'drop' when nothing of it is to be passed on. */
  readonly long?: (introducer: string, beginning: string) => 'drop' | undefined;
}

const C1_DISTANCE = 0x40;
const CSI = 0x5b;
const SGR = 0x6d;
const OSC = 0x5d;
const STRING_INTRODUCERS: ReadonlySet<number> = new Set([OSC, 0x50, 0x5f, 0x5e, 0x58]);
/** Of screen and tmux: the name of the window. Typed it is a key with Alt. */
const WINDOW_NAME = 0x6b;
/** A sequence that is longer is passed on unread: pictures are, and nothing that is looked for. */
const KEPT_BYTES_MAXIMUM = 16 * 1024;

/**
 * Finds the control sequences in a stream of bytes that arrives in pieces of any length, and passes the stream on without
 * those that a handler drops. What may become a sequence that is dropped is held back until its end; it shows nothing before.
 */
export class ControlScanner {
  readonly #handlers: ControlHandlers;
  readonly #isTyped: boolean;
  #held: Uint8Array = new Uint8Array();
  /** Inside one that is too long to be kept: what it is ends it. */
  #passing: 'string' | 'csi' | 'escape' | undefined;
  /** Of that nothing is passed on. */
  #isDropping = false;

  /** @param isTyped The bytes come from a terminal, and are not written to one. */
  constructor(handlers: ControlHandlers, { isTyped = false } = {}) {
    this.#handlers = handlers;
    this.#isTyped = isTyped;
  }

  /** @returns what is to be passed on. */
  push(data: Uint8Array): Uint8Array {
    let input = this.#held.length === 0 ? data : joined(this.#held, data);
    this.#held = new Uint8Array();
    const kept: Uint8Array[] = [];
    let from = 0;
    const introducers = new Introducers(input);
    let at = this.#passing === undefined ? 0 : this.#pass(input);
    if (this.#isDropping) from = at;
    this.#isDropping &&= this.#passing !== undefined;
    for (at = introducers.next(at); at >= 0; at = introducers.next(at)) {
      const behind = input[at] === ESCAPE ? endOfControls(input, at + 1) : at + 1;
      if (behind > at + 1) {
        kept.push(input.subarray(from, at), Uint8Array.from(input.subarray(at + 1, behind)));
        // The caller's is not written to.
        if (input === data) input = Uint8Array.from(data);
        from = at = behind - 1;
        input[at] = ESCAPE;
      }
      const end = this.#findEnd(input, at);
      if (end < 0) {
        if (input.length - at <= KEPT_BYTES_MAXIMUM) this.#held = input.slice(at);
        else if (this.#startPassing(input, at) === 'drop') {
          kept.push(input.subarray(from, at));
          from = input.length;
        }
        break;
      }
      const controls = this.#controlsIn(input, at, end);
      if (controls !== undefined) {
        kept.push(input.subarray(from, at), controls);
        if (input === data) input = Uint8Array.from(data);
        const sequence = input.slice(at, end).filter((byte) => !isCarriedOut(byte));
        from = at = end - sequence.length;
        input.set(sequence, at);
      }
      if (this.#tell(input, at, end) === 'drop') {
        kept.push(input.subarray(from, at));
        from = end;
      }
      at = end;
    }
    const rest = input.subarray(from, input.length - this.#held.length);
    return kept.length === 0 ? rest : joined(...kept, rest);
  }

  /** Nothing is held back, and nothing is passed over. */
  get isBetweenSequences(): boolean {
    return this.#held.length === 0 && this.#passing === undefined;
  }

  /** What was begun, nothing will complete any more. */
  abandon(): void {
    this.#held = new Uint8Array();
    this.#passing = undefined;
    this.#isDropping = false;
  }

  /** Only strings mean anything at such a length. Of another sequence terminals take as much as they have room for, unread: nothing of it is passed on. */
  #startPassing(input: Uint8Array, at: number): 'drop' | undefined {
    const second = secondOf(input, at) ?? 0;
    this.#passing = second === CSI ? 'csi' : this.#isString(second) ? 'string' : 'escape';
    const isString = this.#passing === 'string';
    const word = isString ? this.#handlers.long?.(String.fromCharCode(second), latin1(input, at + 2, input.length)) : 'drop';
    this.#isDropping = word === 'drop';
    if (isString) this.#holdLast(input);
    return word;
  }

  /** With what follows it the last byte may end the string, or begin what is to be looked at. */
  #holdLast(input: Uint8Array): void {
    if (input.at(-1) === ESCAPE || input.at(-1) === C1) this.#held = input.slice(-1);
  }

  #pass(input: Uint8Array): number {
    const findEnd = this.#passing === 'csi' ? endOfCsi : this.#passing === 'escape' ? endOfEscape : endOfString;
    const end = findEnd(input, 0);
    if (end < 0 && this.#passing === 'string') this.#holdLast(input);
    if (end >= 0) this.#passing = undefined;
    return end < 0 ? input.length : end;
  }

  /** @returns where the sequence that begins at `at` has ended, -1 when its end has not come. */
  #findEnd(input: Uint8Array, at: number): number {
    const second = secondOf(input, at);
    if (second === undefined) return -1;
    if (second === CSI) return endOfCsi(input, at + 2);
    if (input[at] === C1) return second === OSC ? endOfC1Osc(input, at + 2) : at + 2;
    if (second === OSC && !this.#isTyped) return endOfConsoleColour(input, at + 2) ?? endOfString(input, at + 2);
    if (this.#isString(second)) return endOfString(input, at + 2);
    return endOfEscape(input, at + 1);
  }

  /** What terminals carry out in the midst of a sequence before they go on with that; undefined where there is none, as nearly always. */
  #controlsIn(input: Uint8Array, at: number, end: number): Uint8Array | undefined {
    const second = secondOf(input, at) ?? 0;
    if (input[at] === C1 ? second !== CSI : this.#isString(second)) return undefined;
    let first = at + 1;
    while (first < end && !isCarriedOut(input[first] ?? 0)) first++;
    if (first === end) return undefined;
    return input.slice(first, end).filter(isCarriedOut);
  }

  #isString(second: number): boolean {
    return STRING_INTRODUCERS.has(second) || (second === WINDOW_NAME && !this.#isTyped);
  }

  #tell(input: Uint8Array, at: number, end: number): 'drop' | undefined {
    const second = secondOf(input, at) ?? 0;
    if (second === CSI) return this.#tellCsi(input, at + 2, end);
    if (input[at] === C1 ? end > at + 2 : this.#isString(second)) {
      if (this.#handlers.text === undefined) return undefined;
      return this.#handlers.text(String.fromCharCode(second), latin1(input, at + 2, endOfBody(input, end)));
    }
    if (input[at] === C1) this.#handlers.escape?.('', String.fromCharCode(second));
    else if (end > at + 1) this.#handlers.escape?.(latin1(input, at + 1, end - 1), latin1(input, end - 1, end));
    return undefined;
  }

  #tellCsi(input: Uint8Array, from: number, end: number): 'drop' | undefined {
    const { csi, pen } = this.#handlers;
    if (pen !== undefined && input[end - 1] === SGR && !isBetween(input[from], 0x3c, 0x3f)) {
      pen(setsSomething(input, from, end));
      return undefined;
    }
    if (csi === undefined || !isBetween(input[end - 1], 0x40, 0x7e)) return undefined;
    const final = end - 1;
    const hasPrefix = isBetween(input[from], 0x3c, 0x3f);
    const start = hasPrefix ? from + 1 : from;
    let middle = start;
    while (middle < final && isBetween(input[middle], 0x30, 0x3b)) middle++;
    return csi(
      hasPrefix ? latin1(input, from, start) : '',
      latin1(input, start, middle),
      latin1(input, middle, final),
      latin1(input, final, end),
    );
  }
}

/** Where sequences begin. Each byte is looked at once for either kind, however many there are of the other. */
class Introducers {
  readonly #input: Uint8Array;
  #escape = 0;
  #c1 = 0;
  #isSought = false;

  constructor(input: Uint8Array) {
    this.#input = input;
  }

  /** The first one from there on, -1 for none. One that ends the input counts. */
  next(from: number): number {
    if (!this.#isSought || (this.#escape >= 0 && this.#escape < from)) this.#escape = this.#input.indexOf(ESCAPE, from);
    if (!this.#isSought || (this.#c1 >= 0 && this.#c1 < from)) this.#c1 = indexOfC1(this.#input, from);
    this.#isSought = true;
    if (this.#escape < 0 || this.#c1 < 0) return Math.max(this.#escape, this.#c1);
    return Math.min(this.#escape, this.#c1);
  }
}

function indexOfC1(input: Uint8Array, from: number): number {
  let at = input.indexOf(C1, from);
  while (at >= 0 && at + 1 < input.length && !isBetween(input[at + 1], 0x80, 0x9f)) at = input.indexOf(C1, at + 1);
  return at;
}

/** What comes behind the escape; undefined while it has not come. */
function secondOf(input: Uint8Array, at: number): number | undefined {
  const second = input[at + 1];
  return second !== undefined && input[at] === C1 ? second - C1_DISTANCE : second;
}

/** A parameter that is not 0. */
function setsSomething(input: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if (isBetween(input[at], 0x31, 0x39)) return true;
  return false;
}

function latin1(input: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(input[at] ?? 0);
  return text;
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(pieces);
}
