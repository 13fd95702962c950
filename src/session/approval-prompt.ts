import { bytesFromBuffer } from '../bytes.ts';
import type { TerminalSize } from '../ports/pty.ts';
import { ControlScanner } from '../terminal/control-scanner.ts';
import type { Measure } from '../terminal/fit.ts';
import { replyOfCsi, replyOfText } from '../terminal/queries.ts';
import { drawPrompt } from './approval-rows.ts';
import type { Decision, Proposal, Question } from './question.ts';

/** Keys count only after nobody has typed for so long: what was typed ahead was meant for the command. */
const GUARD_MS = 600;
/** A key that more follow within this time is a paste, or a sequence. */
const BURST_MS = 40;
/** After a paste as long is nothing taken for a key. */
const PASTE_QUIET_MS = 300;
const NOTE_MS = 2000;
/** Why something was not done takes longer to read. */
const FAILURE_MS = 10_000;
const PASTE_NOTE = 'What is pasted does not answer';
const KEY_NOTE = 'Keys answer this question; Esc puts it off';
const GROWN_NOTE = 'It has become more: look again, then press again';
const WRITING_NOTE = 'Writing …';

const KEYS: Readonly<Record<string, Decision>> = { a: 'once', s: 'session', f: 'folder', d: 'deny', x: 'deny_session' };
const ALWAYS_KEY = 'w';
const VIEW_KEY = 'v';
const ESCAPE = '\x1b';
const UP = ['\x1b[A', '\x1bOA', 'k'];
const DOWN = ['\x1b[B', '\x1bOB', 'j', '\t'];
const PASTE_BEGIN = '\x1b[200~';
const PASTE_END = '\x1b[201~';

/** What keys mean. */
export type PromptAct =
  | { readonly kind: 'decide'; readonly number: number; readonly decision: Decision }
  /** Somebody wants to see what an answer for good would write. */
  | { readonly kind: 'propose'; readonly number: number }
  /** That is to be written. */
  | { readonly kind: 'always'; readonly number: number; readonly file: string }
  /** Closed with the questions unanswered. */
  | { readonly kind: 'later' }
  /** For the command after all. */
  | { readonly kind: 'forward'; readonly data: Uint8Array }
  | { readonly kind: 'redraw' };

/** What would be written; it takes a yes from `readMs` on, when there was time to read it. */
interface Shown {
  readonly shown: Proposal;
  readonly readMs: number;
  readonly isRead: boolean;
}

const NO_NOTE = { text: '', untilMs: 0 };
const REDRAW: readonly PromptAct[] = [{ kind: 'redraw' }];

/**
 * The questions of a session on the terminal that is attached: rows at its bottom, and what keys mean while they are there.
 * Time is passed in, on one clock; deadlineMs() tells when expire() has something to do.
 */
export class ApprovalPrompt {
  #questions: readonly Question[] = [];
  #selected = 0;
  /** So many paths the question that is shown had; it has had more since then. */
  #paths = 0;
  #grownMs = Number.NEGATIVE_INFINITY;
  #proposal: Shown | undefined;
  #isWriting = false;
  #isFull = false;
  /** Before that, keys are the command's. */
  #guardEndMs: number;
  /** What was typed and is not taken for a key yet. */
  #held = '';
  #heldSinceMs = 0;
  #isPasting = false;
  #quietUntilMs = 0;
  #note = NO_NOTE;

  constructor(nowMs: number) {
    this.#guardEndMs = nowMs + GUARD_MS;
  }

  /** The questions that wait now; the one that is shown stays shown while it waits. */
  show(questions: readonly Question[], nowMs: number): void {
    const shown = this.#shown?.number;
    const at = questions.findIndex(({ number }) => number === shown);
    this.#questions = questions;
    if (at < 0) {
      // Another question under the same key would be answered by who meant the one before.
      this.#guardEndMs = Math.max(this.#guardEndMs, nowMs + GUARD_MS);
      this.#select(0);
      return;
    }
    this.#selected = at;
    const paths = this.#shown?.paths.length ?? 0;
    if (paths === this.#paths) return;
    this.#paths = paths;
    this.#grownMs = nowMs;
    this.#endProposal();
  }

  get #shown(): Question | undefined {
    return this.#questions[this.#selected];
  }

  get isGuarded(): boolean {
    return this.#guardEndMs > 0;
  }

  /** When time alone changes something. */
  deadlineMs(): number | undefined {
    const held = this.#held === '' ? undefined : this.#heldSinceMs + BURST_MS;
    const guard = this.#guardEndMs > 0 ? this.#guardEndMs : undefined;
    const unread = this.#proposal?.isRead === false ? this.#proposal.readMs : undefined;
    const times = [held, guard, unread].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
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
    if (this.#proposal?.isRead === false && nowMs >= this.#proposal.readMs) {
      this.#proposal = { ...this.#proposal, isRead: true };
      acts.push({ kind: 'redraw' });
    }
    if (this.#held === '' || nowMs < this.#heldSinceMs + BURST_MS) return acts;
    const typed = this.#held;
    this.#held = '';
    return [...acts, ...this.#key(typed, nowMs)];
  }

  /** What an answer for good would write, as was asked for; it is shown while that question is. */
  propose(number: number, proposal: Proposal, nowMs: number): void {
    if (this.#shown?.number !== number) return;
    this.#proposal = { shown: proposal, readMs: nowMs + GUARD_MS, isRead: false };
    this.#note = NO_NOTE;
  }

  /** Why nothing was written. */
  failed(reason: string, nowMs: number): void {
    this.#proposal = undefined;
    this.#isWriting = false;
    this.#note = { text: reason, untilMs: nowMs + FAILURE_MS };
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
    return this.#say(PASTE_NOTE, nowMs);
  }

  #say(text: string, nowMs: number): readonly PromptAct[] {
    this.#note = { text, untilMs: nowMs + NOTE_MS };
    return REDRAW;
  }

  #key(typed: string, nowMs: number): readonly PromptAct[] {
    if (this.#isPasting) return [];
    // An answer of the terminal that the command waits for.
    if (isReply(typed)) return [{ kind: 'forward', data: Buffer.from(typed, 'latin1') }];
    if (typed.length > 1 && typed.startsWith(ESCAPE) && !isArrow(typed)) return this.#say(KEY_NOTE, nowMs);
    if (typed.length > 1 && !isArrow(typed)) return this.#pasted(nowMs);
    if (nowMs < this.#quietUntilMs) return this.#pasted(nowMs);
    const question = this.#shown;
    if (question === undefined) return [];
    const proposal = this.#proposal;
    return proposal === undefined ? this.#answer(typed, question, nowMs) : this.#confirm(typed, { question, proposal }, nowMs);
  }

  #answer(typed: string, question: Question, nowMs: number): readonly PromptAct[] {
    if (typed === ESCAPE) return [{ kind: 'later' }];
    if (UP.includes(typed)) return this.#select(-1);
    if (DOWN.includes(typed)) return this.#select(1);
    const key = typed.toLowerCase();
    if (key === VIEW_KEY) {
      this.#isFull = !this.#isFull;
      this.#note = NO_NOTE;
      return REDRAW;
    }
    const decision = KEYS[key];
    if (decision === undefined && key !== ALWAYS_KEY) return this.#say(KEY_NOTE, nowMs);
    const isYes = decision !== 'deny' && decision !== 'deny_session';
    if (isYes && nowMs < this.#grownMs + GUARD_MS) {
      // Who presses it once more has been told.
      this.#grownMs = Number.NEGATIVE_INFINITY;
      return this.#say(GROWN_NOTE, nowMs);
    }
    const { number } = question;
    return decision === undefined ? [{ kind: 'propose', number }] : [{ kind: 'decide', number, decision }];
  }

  #confirm(
    typed: string,
    { question: { number }, proposal: { shown, isRead } }: { readonly question: Question; readonly proposal: Shown },
    nowMs: number,
  ): readonly PromptAct[] {
    if (typed === ESCAPE || typed.toLowerCase() === 'n') {
      this.#endProposal();
      return REDRAW;
    }
    if (typed.toLowerCase() !== 'y') return this.#say(KEY_NOTE, nowMs);
    if (!isRead || this.#isWriting) return [];
    this.#isWriting = true;
    this.#note = { text: WRITING_NOTE, untilMs: Number.POSITIVE_INFINITY };
    return [...REDRAW, { kind: 'always', number, file: shown.file }];
  }

  #endProposal(): void {
    this.#proposal = undefined;
    if (this.#isWriting) this.#note = NO_NOTE;
    this.#isWriting = false;
  }

  #select(step: number): readonly PromptAct[] {
    const count = this.#questions.length;
    this.#selected = step === 0 || count === 0 ? 0 : (this.#selected + step + count) % count;
    this.#paths = this.#shown?.paths.length ?? 0;
    this.#grownMs = Number.NEGATIVE_INFINITY;
    this.#endProposal();
    this.#isFull = false;
    return REDRAW;
  }

  /** No more columns and rows than the terminal has, with colours. */
  rows(size: TerminalSize, nowMs: number, measure: Measure): readonly string[] {
    const view = {
      questions: this.#questions,
      selected: this.#selected,
      proposal: this.#proposal?.shown,
      isFull: this.#isFull,
      isGuarded: this.isGuarded || this.#proposal?.isRead === false,
      note: nowMs < this.#note.untilMs ? this.#note.text : undefined,
      nowMs,
    };
    return drawPrompt(view, size, measure);
  }
}

function isArrow(typed: string): boolean {
  return [...UP, ...DOWN].includes(typed);
}

/** What a terminal says by itself when a program has asked it something. */
function isReply(typed: string): boolean {
  if (!typed.startsWith(ESCAPE)) return false;
  let isFound = false;
  const scanner = new ControlScanner(
    {
      csi(...parts) {
        isFound ||= replyOfCsi(...parts) !== undefined;
        return undefined;
      },
      text(...parts) {
        isFound ||= replyOfText(...parts) !== undefined;
        return undefined;
      },
    },
    { isTyped: true },
  );
  scanner.push(Buffer.from(typed, 'latin1'));
  return isFound;
}
