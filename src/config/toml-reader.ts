import { ConfigError } from '../errors.ts';
import type { TomlValue } from './toml-value.ts';

const BARE_KEY_REGEXP = /[A-Za-z0-9_-]+/y;
const SPACE_REGEXP = /[ \t]*/y;
const BLANK_REGEXP = /(?:[ \t]|\r?\n|#[^\r\n]*)*/y;
const COMMENT_REGEXP = /[ \t]*(?:#[^\r\n]*)?/y;
const SCALAR_REGEXP = /[A-Za-z0-9+\-_.:]+(?: [0-9]{2}:[0-9:.Z+-]+)?/y;

const DECIMAL_REGEXP = /^[+-]?(?:0|[1-9](?:_?[0-9])*)$/;
const BASED_REGEXP = /^0(?:x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|o[0-7](?:_?[0-7])*|b[01](?:_?[01])*)$/;
const FLOAT_REGEXP = /^[+-]?(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?$/;
const SPECIAL_REGEXP = /^([+-]?)(inf|nan)$/;
const DATE_REGEXP =
  /^(?:\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})?)?|\d{2}:\d{2}:\d{2}(?:\.\d+)?)$/;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
  ['"', '"'],
  ['\\', '\\'],
]);

// A tab is allowed in texts and comments, a line end only where it has a meaning.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what TOML forbids
const FORBIDDEN_REGEXP = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/;

/** No document of ours nests deeper; a hostile one must not exhaust the stack of whoever walks what was read. */
export const MAX_DEPTH = 64;

/** A place in the text. */
export class TomlReader {
  readonly #text: string;
  readonly #fileName: string;
  #at = 0;
  /** Of #at, kept up to date by counting what is passed. */
  #line = 1;

  constructor(text: string, fileName: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
    this.#fileName = fileName;
    const forbidden = FORBIDDEN_REGEXP.exec(this.#text);
    if (forbidden === null) return;
    this.#move(forbidden.index);
    this.fail('a control character stands here');
  }

  get line(): number {
    return this.#line;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Passes `expected` when it comes next. */
  take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#move(expected.length);
    return true;
  }

  /** Passes what a sticky expression matches here and gives it back; '' when it does not match. */
  takeMatch(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const [found = ''] = expression.exec(this.#text) ?? [];
    this.#move(found.length);
    return found;
  }

  /** Passes everything up to `end` and gives it back, undefined when `end` does not come. */
  takeUntil(end: string): string | undefined {
    const at = this.#text.indexOf(end, this.#at);
    if (at < 0) return undefined;
    const passed = this.#text.slice(this.#at, at);
    this.#move(passed.length);
    return passed;
  }

  takeOne(): string {
    const found = this.#text.slice(this.#at, this.#at + 1);
    this.#move(found.length);
    return found;
  }

  skipSpace(): void {
    this.takeMatch(SPACE_REGEXP);
  }

  /** Spaces, line ends and comments. */
  skipBlank(): void {
    this.takeMatch(BLANK_REGEXP);
  }

  expectLineEnd(): void {
    this.takeMatch(COMMENT_REGEXP);
    if (this.isAtEnd || this.take('\n') || this.take('\r\n')) return;
    this.fail('expected the end of the line');
  }

  /** @throws {ConfigError} always, with the place before the message. */
  fail(message: string, line = this.#line): never {
    throw new ConfigError(`${this.#fileName}:${line}: ${message}`);
  }

  #move(count: number): void {
    const end = this.#at + count;
    for (let at = this.#at; at < end; at++) if (this.#text[at] === '\n') this.#line += 1;
    this.#at = end;
  }
}

/** `a."b c".d`: the parts of a key, with spaces around the dots. */
export function readKeyPath(reader: TomlReader): string[] {
  const parts: string[] = [];
  do {
    reader.skipSpace();
    parts.push(readKeyPart(reader));
    reader.skipSpace();
  } while (reader.take('.'));
  if (parts.length > MAX_DEPTH) reader.fail('the key has too many parts');
  return parts;
}

function readKeyPart(reader: TomlReader): string {
  if (reader.take('"')) return readBasicText(reader);
  if (reader.take("'")) return readLiteralText(reader);
  const bare = reader.takeMatch(BARE_KEY_REGEXP);
  return bare === '' ? reader.fail('expected a key') : bare;
}

/** After the opening bracket. */
export function readArray(reader: TomlReader, readValue: () => TomlValue): TomlValue {
  const { line } = reader;
  const value: TomlValue[] = [];
  for (reader.skipBlank(); !reader.take(']'); reader.skipBlank()) {
    value.push(readValue());
    reader.skipBlank();
    if (reader.take(',')) continue;
    if (!reader.take(']')) reader.fail(`expected "," or "]" in the array of line ${line}`);
    break;
  }
  return { kind: 'array', line, value };
}

/** A text, a number, a truth value or a date. */
export function readScalar(reader: TomlReader): TomlValue {
  const { line } = reader;
  if (reader.take('"""')) return { kind: 'text', line, value: readMultiLineBasicText(reader) };
  if (reader.take("'''")) return { kind: 'text', line, value: readMultiLineLiteralText(reader) };
  if (reader.take('"')) return { kind: 'text', line, value: readBasicText(reader) };
  if (reader.take("'")) return { kind: 'text', line, value: readLiteralText(reader) };
  const word = reader.takeMatch(SCALAR_REGEXP);
  if (word === '') reader.fail('expected a value');
  if (word === 'true' || word === 'false') return { kind: 'boolean', line, value: word === 'true' };
  const value = readNumber(word, line) ?? readDate(word, line);
  if (value === undefined) return reader.fail(`"${word}" is no value, a text needs quotes`);
  if (value.kind === 'integer' && !Number.isSafeInteger(value.value)) return reader.fail(`${word} is too large`);
  return value;
}

function readNumber(word: string, line: number): TomlValue | undefined {
  const digits = word.replaceAll('_', '');
  if (DECIMAL_REGEXP.test(word) || BASED_REGEXP.test(word)) return { kind: 'integer', line, value: Number(digits) };
  if (FLOAT_REGEXP.test(word)) return { kind: 'float', line, value: Number(digits) };
  const [, sign, name] = SPECIAL_REGEXP.exec(word) ?? [];
  if (name === undefined) return undefined;
  const value = name === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
  return { kind: 'float', line, value: sign === '-' ? -value : value };
}

function readDate(word: string, line: number): TomlValue | undefined {
  return DATE_REGEXP.test(word) ? { kind: 'date', line, value: word } : undefined;
}

function readLiteralText(reader: TomlReader): string {
  const { line } = reader;
  const value = reader.takeUntil("'");
  if (value === undefined || value.includes('\n')) return reader.fail('the text that begins here has no end', line);
  reader.take("'");
  return value;
}

function readMultiLineLiteralText(reader: TomlReader): string {
  const { line } = reader;
  skipFirstLineEnd(reader);
  const value = reader.takeUntil("'''");
  if (value === undefined) return reader.fail('the text that begins here has no end', line);
  reader.take("'''");
  return value + extraQuotes(reader, "'");
}

function readBasicText(reader: TomlReader): string {
  const { line } = reader;
  let value = '';
  for (;;) {
    const unit = reader.takeOne();
    if (unit === '"') return value;
    if (unit === '' || unit === '\n' || unit === '\r') return reader.fail('the text that begins here has no end', line);
    value += unit === '\\' ? readEscape(reader) : unit;
  }
}

function readMultiLineBasicText(reader: TomlReader): string {
  const { line } = reader;
  skipFirstLineEnd(reader);
  let value = '';
  while (!reader.take('"""')) {
    if (reader.isAtEnd) return reader.fail('the text that begins here has no end', line);
    const unit = reader.takeOne();
    if (unit === '\\' && reader.takeMatch(/[ \t]*\r?\n[ \t\r\n]*/y) !== '') continue;
    value += unit === '\\' ? readEscape(reader) : unit;
  }
  return value + extraQuotes(reader, '"');
}

/** Up to two quotes may stand directly before the closing three. */
function extraQuotes(reader: TomlReader, quote: string): string {
  if (!reader.take(quote)) return '';
  return reader.take(quote) ? quote + quote : quote;
}

/** A line end right after the opening quotes is not part of the text. */
function skipFirstLineEnd(reader: TomlReader): void {
  if (!reader.take('\n')) reader.take('\r\n');
}

function readEscape(reader: TomlReader): string {
  const letter = reader.takeOne();
  const simple = ESCAPES.get(letter);
  if (simple !== undefined) return simple;
  const digits = letter === 'u' ? reader.takeMatch(/[0-9A-Fa-f]{4}/y) : letter === 'U' ? reader.takeMatch(/[0-9A-Fa-f]{8}/y) : '';
  const code = Number.parseInt(digits, 16);
  if (digits === '' || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    return reader.fail(`"\\${letter}${digits}" is no escape of TOML`);
  return String.fromCodePoint(code);
}
