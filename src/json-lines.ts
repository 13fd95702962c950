import { type Bytes, bufferFromBytes, bytesFromBuffer, displayBytes } from './bytes.ts';
import { EXIT, NonoError } from './errors.ts';

/** Enough to see what it was to be. */
const SHOWN_LENGTH = 80;
const WIDE_REGEXP = /[^\0-\xff]/g;

/** One line of JSON with one character for each byte; JSON leaves no newline within. Text for people may hold more: as escapes. */
export function encodeLine(value: unknown): Uint8Array {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return bufferFromBytes(`${JSON.stringify(value).replaceAll(WIDE_REGEXP, escape)}\n` as Bytes);
}

/** Finds the lines in what one of nono's own processes sends to another; of their form only is checked that each is an object. */
export class LineReader<Value> {
  readonly #sender: string;
  #rest = '';

  /** @param sender Whose lines they are, for messages: `the guardian`. */
  constructor(sender: string) {
    this.#sender = sender;
  }

  /** @throws {NonoError} at a line that is damaged; what comes behind it means nothing any more. */
  *push(data: Uint8Array): Generator<Value, void, undefined> {
    this.#rest += bytesFromBuffer(data);
    for (let end = this.#rest.indexOf('\n'); end >= 0; end = this.#rest.indexOf('\n')) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      yield this.#parse(line);
    }
  }

  #parse(line: string): Value {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) return value as Value;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    const shown = displayBytes(line.slice(0, SHOWN_LENGTH) as Bytes);
    throw new NonoError('E_SUPERVISOR', EXIT.nonoFailed, `Cannot understand ${this.#sender}: it said "${shown}"`, {
      hint: 'The processes of nono that belong together speak in lines of JSON: see what else has their descriptors open, and report it',
    });
  }
}
