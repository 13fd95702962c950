import { type Bytes, bufferFromBytes, bytesFromBuffer } from './bytes.ts';

const WIDE_REGEXP = /[^\0-\xff]/g;

/** One line of JSON with one character for each byte; JSON leaves no newline within. Text for people may hold more: as escapes. */
export function encodeLine(value: unknown): Uint8Array {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return bufferFromBytes(`${JSON.stringify(value).replaceAll(WIDE_REGEXP, escape)}\n` as Bytes);
}

/** Finds the lines in what one of nono's own processes sends to another; their form is not checked. */
export class LineReader<Value> {
  #rest = '';

  *push(data: Uint8Array): Generator<Value, void, undefined> {
    this.#rest += bytesFromBuffer(data);
    for (let end = this.#rest.indexOf('\n'); end >= 0; end = this.#rest.indexOf('\n')) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      yield JSON.parse(line) as Value;
    }
  }
}
