import type { Clock } from '../ports/clock.ts';
import type { UserTerminal } from '../ports/user-terminal.ts';
import { ControlScanner } from '../terminal/control-scanner.ts';
import { ModeLedger } from '../terminal/mode-ledger.ts';
import {
  ANSWERED_BY_MODEL,
  asksForClipboard,
  isWithheld,
  mayAskForClipboard,
  PendingQueries,
  queriesOfText,
  queryOfCsi,
  replyOfCsi,
  replyOfText,
} from '../terminal/queries.ts';
import { restoreSequence } from '../terminal/restore.ts';

/** DA1: every terminal answers it, and after all that it was asked before. */
const FENCE = '\x1b[c';
/** A terminal that has not answered by then is not waited for. */
const FENCE_TIMEOUT_MS = 1000;
/** CAN and ST: one of them ends a string that is cut off, whatever the terminal; behind one that has ended they mean nothing. */
const CUT_OFF = '\x18\x1b\\';
const PUSH_TITLE = '\x1b[22;0t';
const POP_TITLE = '\x1b[23;0t';
/** By itself it takes a Linux console to line drawing: what it shifts to is that there until a program names another. */
const SHIFT_OUT = 0x0e;

/** The user's terminal while a session is shown on it: knows what the session did to it, and puts it back. */
export class ClientTerminal {
  readonly #terminal: UserTerminal;
  readonly #clock: Clock;
  #ledger = new ModeLedger();
  readonly #output: ControlScanner;
  readonly #input: ControlScanner;
  readonly #asked = new PendingQueries<undefined>();
  #hasTitle = false;
  #titleIsPushed = false;
  readonly #farewell: string;
  /** A mode was set since it was last said how to put the terminal back. */
  #hasNews = true;
  #isPassedBy = false;
  /** The terminal may have the beginning of a sequence whose rest has not come. */
  #isCutOff = false;
  #fence: { repliesLeft: number; readonly done: () => void } | undefined;

  /** @param farewell A line that is shown when this process is killed. */
  constructor(terminal: UserTerminal, clock: Clock, farewell: string) {
    this.#farewell = farewell;
    this.#terminal = terminal;
    this.#clock = clock;
    this.#output = new ControlScanner({
      csi: (prefix, parameters, middle, final) => {
        const query = queryOfCsi(prefix, parameters, middle, final);
        if (query !== undefined && ANSWERED_BY_MODEL.includes(query)) return 'drop';
        if (isWithheld(prefix, parameters, middle, final)) return 'drop';
        this.#hasNews = true;
        this.#ledger.csi(prefix, parameters, middle, final);
        this.#ask(query);
        return undefined;
      },
      pen: (isSet) => {
        this.#hasNews ||= isSet !== this.#ledger.hasPen;
        // What passes beside this may set it again.
        this.#ledger.hasPen = isSet || (this.#isPassedBy && this.#ledger.hasPen);
      },
      escape: (middle, final) => {
        this.#hasNews = true;
        this.#ledger.escape(middle, final);
      },
      text: (introducer, body) => {
        // What is in the user's clipboard is none of the command's business.
        if (asksForClipboard(introducer, body)) return 'drop';
        if (introducer === ']') this.#takeOsc(body);
        for (const kind of queriesOfText(introducer, body)) this.#ask(kind);
        return undefined;
      },
      long: (introducer, beginning) => (mayAskForClipboard(introducer, beginning) ? 'drop' : undefined),
    });
    this.#input = new ControlScanner(
      {
        csi: (...parts) => this.#answered(replyOfCsi(...parts)),
        text: (...parts) => this.#answered(replyOfText(...parts)),
      },
      { isTyped: true },
    );
  }

  /** Not all that is typed and shown comes by here from now on: what mayPass() says does not. */
  isPassedBy(): void {
    this.#isPassedBy = true;
    this.#hasNews = true;
  }

  /** What is plain may pass, typed by the user or shown by the session, and colours and usual modes when the terminal is put back from them. */
  mayPass(): { readonly typed: boolean; readonly shown: boolean; readonly hasPen: boolean } {
    const isOver = this.#fence !== undefined;
    const isTitleDue = this.#hasTitle && !this.#titleIsPushed;
    return {
      typed: !isOver && this.#input.isBetweenSequences,
      shown: !isOver && !isTitleDue && this.#output.isBetweenSequences,
      hasPen: this.#ledger.hasPen,
    };
  }

  /** The session may write by itself what is plain, colours too: the terminal is put back from them from now on. */
  mayPassDirectly(): boolean {
    if (!this.mayPass().shown) return false;
    this.#hasNews ||= !this.#ledger.hasPen;
    this.#ledger.hasPen = true;
    this.#prepareForDeath();
    return true;
  }

  /** What the session writes. */
  write(data: Uint8Array): void {
    const passed = this.#output.push(data);
    this.#hasNews ||= this.#isCutOff === this.#output.isBetweenSequences;
    this.#isCutOff = !this.#output.isBetweenSequences;
    if (!this.#ledger.hasCharsets && passed.includes(SHIFT_OUT)) {
      this.#hasNews = true;
      this.#ledger.hasCharsets = true;
    }
    if (this.#hasTitle && !this.#titleIsPushed) {
      this.#titleIsPushed = true;
      this.#writeText(PUSH_TITLE);
    }
    this.#prepareForDeath();
    this.#terminal.write(passed);
  }

  /** A drawing from the start: what was set before it is put back first. */
  redraw(data: Uint8Array): void {
    this.#restoreModes();
    this.write(data);
  }

  /** What the terminal sent. @returns false for what comes after the session was left, which is for nobody. */
  follow(data: Uint8Array): boolean {
    if (this.#fence !== undefined || this.isAsked()) this.#input.push(data);
    return this.#fence === undefined;
  }

  /** Answers to what the session asked it may still come. */
  isAsked(): boolean {
    return this.#asked.isWaiting(this.#clock.monotonicMs());
  }

  /** It may still send what nobody has typed: answers, or what it reports. */
  mayStillSend(): boolean {
    return this.isAsked() || this.#ledger.hasReports;
  }

  /**
   * Settles when nothing can come any more that nobody has typed, and what the terminal reports is off; at once when nothing is waited for. What is
   * typed until then is lost.
   */
  async settle(): Promise<void> {
    if (!this.mayStillSend()) return;
    // Until it has read that it is to report nothing it goes on, which over a network takes as long as its answer.
    if (this.#ledger.hasReports) {
      this.#restoreModes();
      // Who is killed meanwhile puts back nothing a second time: keys of kitty would be the shell's.
      this.#prepareForDeath();
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#fence = { repliesLeft: this.#asked.countOf('da1') + 1, done: resolve };
      timer = setTimeout(resolve, FENCE_TIMEOUT_MS);
      this.#writeText(FENCE);
    });
    clearTimeout(timer);
    this.#fence = undefined;
  }

  /** Every mode that the session set. The cursor is where the session had it on the normal screen. */
  restore(): void {
    this.#restoreModes();
    if (this.#titleIsPushed) this.#writeText(POP_TITLE);
    this.#titleIsPushed = false;
    this.#hasTitle = false;
  }

  /** The cursor goes so many rows down, to the start of a row on which nothing is; the terminal scrolls where it has to. */
  stepBelow(rows: number): void {
    this.#writeText(`\r${'\n'.repeat(rows)}`);
  }

  /** Before the terminal has the modes: it is put back from too many rather than from too few. */
  #prepareForDeath(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    const restore = this.#restoreSequence();
    const pop = this.#titleIsPushed ? POP_TITLE : '';
    this.#terminal.ifKilled(Buffer.from(`${restore}${pop}\r\n${this.#farewell}\r\n`, 'latin1'));
  }

  #restoreModes(): void {
    const restore = this.#restoreSequence();
    this.#output.abandon();
    this.#isCutOff = false;
    this.#ledger = new ModeLedger();
    this.#hasNews = true;
    this.#writeText(restore);
  }

  /** With colours pass modes that are as usual. */
  #restoreSequence(): string {
    const cutOff = this.#isCutOff ? CUT_OFF : '';
    return cutOff + restoreSequence(this.#ledger, this.#terminal.size().columns, this.#isPassedBy && this.#ledger.hasPen);
  }

  #takeOsc(body: string): void {
    this.#hasNews = true;
    this.#ledger.osc(body);
    this.#hasTitle ||= /^[012];/.test(body);
  }

  #ask(kind: string | undefined): void {
    if (kind !== undefined) this.#asked.add(kind, undefined, this.#clock.monotonicMs());
  }

  #answered(kind: string | undefined): undefined {
    if (kind === undefined) return;
    const fence = this.#fence;
    if (fence === undefined) {
      this.#asked.answered(kind);
    } else if (kind === 'da1') {
      fence.repliesLeft -= 1;
      if (fence.repliesLeft === 0) fence.done();
    }
  }

  #writeText(text: string): void {
    if (text !== '') this.#terminal.write(Buffer.from(text, 'latin1'));
  }
}
