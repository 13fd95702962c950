import { numbers } from './mode-ledger.ts';

const REPORTED_WINDOW_OPERATIONS: ReadonlySet<number> = new Set([11, 13, 14, 15, 16, 18, 19, 20, 21]);

/** @returns the kind of reply that a CSI of a program asks for; undefined when it asks for none. */
export function queryOfCsi(prefix: string, parameters: string, middle: string, final: string): string | undefined {
  const first = Number.parseInt(parameters, 10) || 0;
  switch (`${prefix}${middle}${final}`) {
    case 'c':
      return first === 0 ? 'da1' : undefined;
    case '>c':
      return first === 0 ? 'da2' : undefined;
    case '=c':
      return first === 0 ? 'da3' : undefined;
    case 'n':
      return first === 5 ? 'status' : first === 6 ? 'cursor' : undefined;
    case '?n':
      return first === 6 ? 'dec-cursor' : 'dec-status';
    case '$p':
      return 'mode';
    case '?$p':
      return first === 69 ? 'side-margins' : 'dec-mode';
    case '?u':
      return 'kitty-keys';
    case '>q':
      return first === 0 ? 'version' : undefined;
    case 't':
      return REPORTED_WINDOW_OPERATIONS.has(first) ? 'window' : undefined;
    case '*y':
      return 'checksum';
    case '?m':
      return 'other-keys';
    case '?S':
      return 'graphics';
    default:
      return undefined;
  }
}

/** The same for a string sequence; several colours may be asked for at once. */
export function queriesOfText(introducer: string, body: string): readonly string[] {
  if (introducer === 'P') {
    if (body.startsWith('$q')) return ['setting'];
    return body.startsWith('+q') ? ['capability'] : [];
  }
  if (introducer === '_') return /^G(?:[^;]*,)?a=q/.test(body) ? ['picture'] : [];
  const osc = introducer === ']' ? /^(?<number>\d+);(?<rest>[^]*)$/.exec(body)?.groups : undefined;
  if (osc === undefined) return [];
  const number = Number(osc['number']);
  const fields = (osc['rest'] ?? '').split(';');
  if (number === 4 || number === 5) {
    return fields.flatMap((field, at) => (at % 2 === 1 && field === '?' ? [`osc${number}`] : []));
  }
  if (number >= 10 && number <= 19) return fields.flatMap((field, at) => (field === '?' ? [`osc${number + at}`] : []));
  return [];
}

/** Of an OSC 4, what stands for the colour of each question that queriesOfText() finds: all at once, since one of them may hold thousands. */
export function askedIndexes(rest: string): readonly number[] {
  const fields = rest.split(';');
  return fields.flatMap((field, at) => (at % 2 === 1 && field === '?' ? [Number(fields[at - 1])] : []));
}

/** Whether an OSC asks for what is in the clipboard, which nobody is told: as a terminal reads it. */
export function asksForClipboard(introducer: string, body: string): boolean {
  return introducer === ']' && /^0*52;[^;]*;\?/.test(withoutControls(body));
}

/** Whether one does, or may when more of it has come. */
export function mayAskForClipboard(introducer: string, beginning: string): boolean {
  return introducer === ']' && /^0*(?:52?|52;[^;]*(?:;(?:\?.*)?)?)?$/s.test(withoutControls(beginning));
}

/** Terminals pass over them in a string (tmux, xterm.js), and over zeros before its number. */
function withoutControls(body: string): string {
  return body.replaceAll(/[\x00-\x1f\x7f]/g, '');
}

/**
 * What the model answers for each terminal, which is not asked: what is in its clipboard is nobody's business, and left and right margins would leave
 * the model with another screen than the terminal, since it has none.
 */
export const ANSWERED_BY_MODEL: readonly string[] = ['clipboard', 'side-margins'];

/** DECANM of a terminal's modes that are set by one sequence, and DECTEK: as VT52 or Tektronix 4014 it understands no sequence of today, nor what puts it back. */
const OTHER_TERMINALS: readonly number[] = [2, 38];
/** KAM: no key is sent any more. */
const NO_KEYBOARD = 2;

/** What no terminal is given: it would be out of the user's hands, and after the session too, or would print. The model knows nothing of it. */
export function isWithheld(prefix: string, parameters: string, middle: string, final: string): boolean {
  // DECSASD and DECSSDT: what is written goes to a line below the screen.
  if (middle === '$') return prefix === '' && (final === '}' || final === '~');
  if (middle !== '') return false;
  if (final === 'i') return prefix === '' || prefix === '?';
  if (prefix === '?')
    return (final === 'h' || final === 'l') && numbers(parameters).some((mode) => OTHER_TERMINALS.includes(mode));
  return prefix === '' && final === 'h' && numbers(parameters).includes(NO_KEYBOARD);
}

/** @returns the kind of query that a CSI which a terminal sent answers; undefined for keys and everything else. */
export function replyOfCsi(prefix: string, parameters: string, middle: string, final: string): string | undefined {
  switch (`${prefix}${middle}${final}`) {
    case '?c':
      return 'da1';
    case '>c':
      return 'da2';
    case 'n':
      return 'status';
    case 'R':
      return /^\d+;\d+$/.test(parameters) ? 'cursor' : undefined;
    case '?R':
      return 'dec-cursor';
    case '?n':
      return 'dec-status';
    case '$y':
      return 'mode';
    case '?$y':
      return 'dec-mode';
    case '?u':
      return 'kitty-keys';
    case 't':
      return 'window';
    case '>m':
      return 'other-keys';
    case '?S':
      return 'graphics';
    default:
      return undefined;
  }
}

/** The same for a string sequence. */
export function replyOfText(introducer: string, body: string): string | undefined {
  if (introducer === ']') {
    const number = /^(?<number>\d+);/.exec(body)?.groups?.['number'];
    if (number === undefined) return /^[lL]/.test(body) ? 'window' : undefined;
    return `osc${number}`;
  }
  if (introducer === '_') return body.startsWith('G') ? 'picture' : undefined;
  if (introducer !== 'P') return undefined;
  if (/^[01]?\$r/.test(body)) return 'setting';
  if (/^[01]?\+r/.test(body)) return 'capability';
  if (body.startsWith('!|')) return 'da3';
  if (body.startsWith('>|')) return 'version';
  return /^\d*!~/.test(body) ? 'checksum' : undefined;
}

/** A terminal that has not answered for so long never will: most pass over what they do not know. */
const PATIENCE_MS = 3000;
/** More than any terminal is asked in that time; a command that asks on and on would fill the memory. */
const WAITING_MAXIMUM = 10_000;
/** Of answers whose questions have not been read; a terminal that says more than that unasked is not believed. */
const EARLY_MAXIMUM = 1000;

/** Questions that were put to a terminal and have no answer yet. */
export class PendingQueries<Asked> {
  readonly #waiting: { readonly kind: string; readonly asked: Asked; readonly sinceMs: number }[] = [];
  /** Answers that were there before their questions were read. */
  readonly #early: { readonly kind: string; readonly shown: number }[] = [];

  /** Whether answers may still come. All times are on one clock. */
  isWaiting(nowMs: number): boolean {
    this.#forgetOld(nowMs);
    return this.#waiting.length > 0;
  }

  countOf(kind: string): number {
    return this.#waiting.filter((waiting) => waiting.kind === kind).length;
  }

  add(kind: string, asked: Asked, nowMs: number): void {
    this.#forgetOld(nowMs);
    if (this.#waiting.length >= WAITING_MAXIMUM) this.#waiting.shift();
    this.#waiting.push({ kind, asked, sinceMs: nowMs });
  }

  /**
   * A terminal answers in order: what was asked before has been passed over.
   *
   * @returns whether something of the kind was waiting.
   */
  answered(kind: string): boolean {
    const at = this.#waiting.findIndex((waiting) => waiting.kind === kind);
    this.#waiting.splice(0, at + 1);
    return at >= 0;
  }

  /**
   * The same where questions are read only after they are shown, so that an answer may be there before its question.
   *
   * @param shown So much of what asks has been shown by now.
   * @param read And so much of it read.
   */
  answeredEarly(kind: string, shown: number, read: number): void {
    this.#forgetEarly(read);
    if (!this.answered(kind) && shown > read && this.#early.length < EARLY_MAXIMUM) this.#early.push({ kind, shown });
  }

  /**
   * Whether a question that is read only now has its answer already, which then is that of no other.
   *
   * @param read What has been read in front of it.
   */
  isAnswered(kind: string, read: number): boolean {
    this.#forgetEarly(read);
    const at = this.#early.findIndex((early) => early.kind === kind);
    if (at < 0) return false;
    this.#early.splice(0, at + 1);
    this.#waiting.length = 0;
    return true;
  }

  /** All that wait, which wait no longer. */
  takeAll(nowMs: number): readonly Asked[] {
    this.#forgetOld(nowMs);
    return this.#waiting.splice(0).map(({ asked }) => asked);
  }

  /** All that was shown when they came has been read: they answer nothing. */
  #forgetEarly(read: number): void {
    while ((this.#early[0]?.shown ?? Number.POSITIVE_INFINITY) <= read) this.#early.shift();
  }

  #forgetOld(nowMs: number): void {
    while ((this.#waiting[0]?.sinceMs ?? nowMs) + PATIENCE_MS < nowMs) this.#waiting.shift();
  }
}
