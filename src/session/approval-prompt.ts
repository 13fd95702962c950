import { type Bytes, bytesFromBuffer, displayBytes } from '../bytes.ts';
import type { TerminalSize } from '../ports/pty.ts';
import { accessWord, type Decision, type Question } from './question.ts';

/** Keys count only after nobody has typed for so long: what was typed ahead was meant for the command. */
const GUARD_MS = 600;
/** A key that more follow within this time is a paste, or a sequence. */
const BURST_MS = 40;
/** After a paste as long is nothing taken for a key. */
const PASTE_QUIET_MS = 300;
const NOTE = 'What is pasted does not answer';
const NOTE_MS = 2000;
export const PROMPT_ROWS = 3;

const KEYS: Readonly<Record<string, Decision>> = { a: 'once', s: 'session', f: 'folder', d: 'deny', x: 'deny_session' };
const ESCAPE = '\x1b';
const UP = ['\x1b[A', '\x1bOA', 'k'];
const DOWN = ['\x1b[B', '\x1bOB', 'j', '\t'];
const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/** What keys mean. */
export type PromptAct =
  | { readonly kind: 'decide'; readonly number: number; readonly decision: Decision }
  /** Closed with the questions unanswered. */
  | { readonly kind: 'later' }
  /** For the command after all. */
  | { readonly kind: 'forward'; readonly data: Uint8Array }
  | { readonly kind: 'redraw' };

/**
 * The questions of a session on the terminal that is attached: three rows at its bottom, and what keys mean while they are there.
 * Time is passed in, on one clock; deadlineMs() tells when expire() has something to do.
 */
export class ApprovalPrompt {
  #questions: readonly Question[] = [];
  #selected = 0;
  /** Before that, keys are the command's. */
  #guardEndMs: number;
  /** What was typed and is not taken for a key yet. */
  #held = '';
  #heldSinceMs = 0;
  #isPasting = false;
  #quietUntilMs = 0;
  #noteUntilMs = 0;

  constructor(nowMs: number) {
    this.#guardEndMs = nowMs + GUARD_MS;
  }

  /** The questions that wait now; the one that is shown stays shown while it waits. */
  show(questions: readonly Question[], nowMs: number): void {
    const shown = this.#questions[this.#selected]?.number;
    const at = questions.findIndex(({ number }) => number === shown);
    // Another question under the same key would be answered by who meant the one before.
    if (at < 0) this.#guardEndMs = Math.max(this.#guardEndMs, nowMs + GUARD_MS);
    this.#questions = questions;
    this.#selected = Math.max(0, at);
  }

  get isGuarded(): boolean {
    return this.#guardEndMs > 0;
  }

  /** When time alone changes something. */
  deadlineMs(): number | undefined {
    const held = this.#held === '' ? undefined : this.#heldSinceMs + BURST_MS;
    const guard = this.#guardEndMs > 0 ? this.#guardEndMs : undefined;
    if (held === undefined) return guard;
    return guard === undefined ? held : Math.min(held, guard);
  }

  type(data: Uint8Array, nowMs: number): readonly PromptAct[] {
    const acts = [...this.expire(nowMs)];
    if (this.#guardEndMs > 0) {
      this.#guardEndMs = nowMs + GUARD_MS;
      return [...acts, { kind: 'forward', data }];
    }
    if (this.#held === '') this.#heldSinceMs = nowMs;
    this.#held += bytesFromBuffer(data);
    return [...acts, ...this.#takePaste(nowMs)];
  }

  /** What time has decided: the guard is over, or what was typed was a key. */
  expire(nowMs: number): readonly PromptAct[] {
    const acts: PromptAct[] = [];
    if (this.#guardEndMs > 0 && nowMs >= this.#guardEndMs) {
      this.#guardEndMs = 0;
      acts.push({ kind: 'redraw' });
    }
    if (this.#held === '' || nowMs < this.#heldSinceMs + BURST_MS) return acts;
    const typed = this.#held;
    this.#held = '';
    return [...acts, ...this.#key(typed, nowMs)];
  }

  /** Between its marks nothing is a key, however slowly it comes. */
  #takePaste(nowMs: number): readonly PromptAct[] {
    if (!this.#isPasting && this.#held.includes(PASTE_BEGIN)) this.#isPasting = true;
    if (!this.#isPasting) return [];
    const end = this.#held.lastIndexOf(PASTE_END);
    this.#held = end < 0 ? this.#held.slice(-PASTE_END.length) : '';
    this.#isPasting = end < 0;
    this.#heldSinceMs = nowMs;
    return this.#pasted(nowMs);
  }

  #pasted(nowMs: number): readonly PromptAct[] {
    this.#quietUntilMs = nowMs + PASTE_QUIET_MS;
    this.#noteUntilMs = nowMs + NOTE_MS;
    return [{ kind: 'redraw' }];
  }

  #key(typed: string, nowMs: number): readonly PromptAct[] {
    if (this.#isPasting) return [];
    if (typed.length > 1 && typed.startsWith(ESCAPE) && !isArrow(typed)) {
      // What a terminal reports by itself, such as an answer that the command waits for.
      return [{ kind: 'forward', data: Buffer.from(typed, 'latin1') }];
    }
    if (typed.length > 1 && !isArrow(typed)) return this.#pasted(nowMs);
    if (nowMs < this.#quietUntilMs) return this.#pasted(nowMs);
    if (typed === ESCAPE) return [{ kind: 'later' }];
    if (UP.includes(typed)) return this.#select(-1);
    if (DOWN.includes(typed)) return this.#select(1);
    const decision = KEYS[typed.toLowerCase()];
    const question = this.#questions[this.#selected];
    return decision === undefined || question === undefined ? [] : [{ kind: 'decide', number: question.number, decision }];
  }

  #select(step: number): readonly PromptAct[] {
    const count = this.#questions.length;
    if (count > 0) this.#selected = (this.#selected + step + count) % count;
    return [{ kind: 'redraw' }];
  }

  /** The rows, no more characters than the terminal has columns, with colours; fewer where it has fewer. */
  rows({ columns, rows }: TerminalSize, nowMs: number): readonly string[] {
    const question = this.#questions[this.#selected];
    if (question === undefined) return [];
    const lines = [
      `${TITLE}${this.#title(question, nowMs).slice(0, columns)}${PLAIN}`,
      `${BOLD}${paths(question, columns)}${PLAIN}`,
    ];
    const keys = (nowMs < this.#noteUntilMs ? NOTE : keysText(question, this.#questions.length, columns)).slice(0, columns);
    const last = this.isGuarded ? `${DIM}${keys}${PLAIN}` : keys;
    // What is asked comes first where there is no room for all.
    return rows >= PROMPT_ROWS ? [...lines, last] : [...lines.slice(1), last].slice(0, rows);
  }

  #title({ access, program, pid, count, endMs }: Question, nowMs: number): string {
    const who = program ?? 'the command';
    const of = this.#questions.length > 1 ? `  ${this.#selected + 1} of ${this.#questions.length}` : '';
    const times = count > 1 ? `  ${count} requests` : '';
    return ` nono: ${who} (${pid}) wants to ${accessWord(access)}${times}${of}  ${minutesLeft(endMs - nowMs)} `;
  }
}

const TITLE = '\x1b[0;7m';
const BOLD = '\x1b[0;1m';
const DIM = '\x1b[0;2m';
const PLAIN = '\x1b[0m';

function isArrow(typed: string): boolean {
  return [...UP, ...DOWN].includes(typed);
}

/** The end of a path says more than its beginning. */
function paths({ paths: [first = '' as Bytes, ...others] }: Question, columns: number): string {
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  const shown = displayBytes(first);
  const room = Math.max(1, columns - more.length);
  const cut = shown.length > room ? `…${shown.slice(shown.length - room + 1)}` : shown;
  return (cut + more).slice(0, columns);
}

function keysText({ access }: Question, count: number, columns: number): string {
  const long = [
    'a allow once',
    's for the session',
    ...(access.connect ? [] : ['f its folder']),
    'd deny',
    'x deny for the session',
    ...(count > 1 ? ['↑↓ others'] : []),
    'Esc later',
  ];
  const short = ['a once', 's session', ...(access.connect ? [] : ['f folder']), 'd deny', 'x never', 'Esc'];
  const text = long.join('  ');
  return text.length <= columns ? text : short.join(' ');
}

function minutesLeft(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
