import { NonoError, SystemError } from '../errors.ts';
import type { TerminalSize } from '../ports/pty.ts';
import { ApprovalPrompt, type PromptAct } from './approval-prompt.ts';
import type { Display } from './display.ts';
import type { Displays } from './displays.ts';
import type { Decision, Proposal, Question } from './question.ts';

/** The time that is left is drawn so often. */
const TICK_MS = 1000;
/** A program that was allowed one file opens the next: the screen does not come and go in between. */
const LINGER_MS = 150;

interface PromptHost {
  readonly questions: () => readonly Question[];
  readonly decide: (number: number, decision: Decision) => void;
  readonly propose: (number: number) => Promise<Proposal | undefined>;
  readonly decideForGood: (number: number, shownFile: string) => Promise<void>;
  /** To the command. */
  readonly forward: (display: Display, data: Uint8Array) => void;
  readonly size: () => TerminalSize;
  readonly nowMs: () => number;
}

/** Puts the questions of a session on the terminal that is attached, and takes them away again. */
export class AttachedPrompt {
  readonly #displays: Displays;
  readonly #host: PromptHost;
  #display: Display | undefined;
  #prompt: ApprovalPrompt | undefined;
  /** Numbers of questions that were put off: they do not open it again. */
  #later = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lingerTimer: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;

  constructor(displays: Displays, host: PromptHost) {
    this.#displays = displays;
    this.#host = host;
  }

  /** A question is on the terminal, and what is typed is for it. */
  get isOpen(): boolean {
    return this.#prompt !== undefined;
  }

  attached(display: Display): void {
    this.left();
    this.#display = display;
    display.onLive = () => this.#update(true);
    this.#update(true);
  }

  /** The terminal is gone, or somebody else's: whoever comes next is asked about all that waits. */
  left(): void {
    this.#forget();
    this.#display = undefined;
    this.#later.clear();
  }

  changed(): void {
    this.#update(this.#isNews());
  }

  /** @returns whether it is for the prompt; else it is for the command. */
  type(data: Uint8Array): boolean {
    if (this.#prompt === undefined) return false;
    this.#do(this.#prompt.type(data, this.#host.nowMs()));
    return true;
  }

  #isNews(): boolean {
    const known = this.#shown;
    this.#shown = new Set(this.#host.questions().map(({ number }) => number));
    return [...this.#shown].some((number) => !known.has(number));
  }

  #shown: ReadonlySet<number> = new Set();

  #update(isLoud: boolean): void {
    const questions = this.#host.questions();
    if (this.#prompt !== undefined) {
      clearTimeout(this.#lingerTimer);
      if (questions.length === 0) this.#lingerTimer = setTimeout(() => this.#close(), LINGER_MS);
      this.#prompt.show(questions, this.#host.nowMs());
      this.#changed(isLoud);
    } else if (questions.some(({ number }) => !this.#later.has(number))) this.#open(questions);
  }

  #open(questions: readonly Question[]): void {
    const display = this.#display;
    if (display === undefined) return;
    const prompt = new ApprovalPrompt(this.#host.nowMs());
    prompt.show(questions, this.#host.nowMs());
    // One that is being drawn says so when it is done.
    if (!this.#displays.cover(display, (measure) => prompt.rows(this.#host.size(), this.#host.nowMs(), measure))) return;
    this.#prompt = prompt;
    this.#ticker = setInterval(() => this.#changed(false), TICK_MS);
    this.#wait();
  }

  #close(): void {
    this.#forget();
    if (this.#display !== undefined) this.#displays.uncover(this.#display);
  }

  #forget(): void {
    this.#prompt = undefined;
    clearTimeout(this.#timer);
    clearTimeout(this.#lingerTimer);
    clearInterval(this.#ticker);
  }

  #changed(isLoud: boolean): void {
    if (this.#display !== undefined) this.#displays.coverChanged(this.#display, isLoud);
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const deadlineMs = this.#prompt?.deadlineMs();
    if (deadlineMs === undefined) return;
    const expire = (): void => {
      if (this.#prompt !== undefined) this.#do(this.#prompt.expire(this.#host.nowMs()));
    };
    this.#timer = setTimeout(expire, Math.max(1, deadlineMs - this.#host.nowMs()));
  }

  #do(acts: readonly PromptAct[]): void {
    for (const act of acts) {
      if (act.kind === 'decide') this.#host.decide(act.number, act.decision);
      else if (act.kind === 'later') this.#putOff();
      else if (act.kind === 'redraw') this.#changed(false);
      else if (act.kind === 'propose') void this.#propose(act.number);
      else if (act.kind === 'always') void this.#decideForGood(act.number, act.file);
      else if (this.#display !== undefined) this.#host.forward(this.#display, act.data);
    }
    this.#wait();
  }

  async #propose(number: number): Promise<void> {
    const prompt = this.#prompt;
    try {
      const proposal = await this.#host.propose(number);
      if (proposal !== undefined) prompt?.propose(number, proposal, this.#host.nowMs());
    } catch (error) {
      prompt?.failed(reasonOf(error), this.#host.nowMs());
    }
    this.#changed(false);
  }

  async #decideForGood(number: number, shownFile: string): Promise<void> {
    const prompt = this.#prompt;
    try {
      await this.#host.decideForGood(number, shownFile);
    } catch (error) {
      prompt?.failed(reasonOf(error), this.#host.nowMs());
      this.#changed(false);
    }
  }

  #putOff(): void {
    this.#later = new Set(this.#host.questions().map(({ number }) => number));
    this.#close();
  }
}

/** What the person at the terminal can act on; anything else is a bug. */
function reasonOf(error: unknown): string {
  if (error instanceof NonoError) return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  if (error instanceof SystemError) return `Cannot write the profile: ${error.message}`;
  throw error;
}
