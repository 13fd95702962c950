import { ControlScanner } from '../terminal/control-scanner.ts';
import { PendingQueries, replyOfCsi, replyOfText } from '../terminal/queries.ts';

/** How far output has come, in bytes from its beginning. */
export interface OutputPlace {
  readonly shown: () => number;
  /** Without what is being parsed. */
  readonly parsed: () => number;
}

/** What the terminal of a reader was asked: it answers, and the model only in its place. */
export class AskedTerminal {
  readonly #queries = new PendingQueries<string>();
  readonly #replies: ControlScanner;
  readonly #place: OutputPlace;
  #hasLeft = false;

  constructor(place: OutputPlace) {
    this.#place = place;
    this.#replies = new ControlScanner(
      {
        csi: (...parts) => this.#answered(replyOfCsi(...parts)),
        text: (...parts) => this.#answered(replyOfText(...parts)),
      },
      { isTyped: true },
    );
  }

  typed(data: Uint8Array): void {
    this.#replies.push(data);
  }

  /** Nothing of an answer has come. */
  get isBetweenAnswers(): boolean {
    return this.#replies.isBetweenSequences;
  }

  /**
   * What it was shown is found to ask something.
   *
   * @param answer Of the model.
   * @returns what the model is to answer now, '' for nothing.
   */
  asked(kind: string, answer: string, nowMs: number): string {
    // Most terminals are faster than the model.
    if (answer === '' || this.#queries.isAnswered(kind, this.#place.parsed())) return '';
    if (this.#hasLeft) return answer;
    this.#queries.add(kind, answer, nowMs);
    return '';
  }

  /** It answers nothing any more. @returns what the model is to answer now. */
  left(nowMs: number): readonly string[] {
    this.#hasLeft = true;
    return this.#queries.takeAll(nowMs);
  }

  #answered(kind: string | undefined): undefined {
    if (kind !== undefined) this.#queries.answeredEarly(kind, this.#place.shown(), this.#place.parsed());
  }
}
