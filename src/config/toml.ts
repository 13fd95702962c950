import { MAX_DEPTH, readArray, readKeyPath, readScalar, TomlReader } from './toml-reader.ts';
import type { TomlEntry, TomlTable, TomlValue } from './toml-value.ts';

/**
 * How a table came to be decides what may still be added to it:
 * `passed` was only on the way to another header, `dotted` on the way of a dotted key.
 */
type Origin = 'header' | 'passed' | 'dotted' | 'closed';

interface Draft {
  readonly kind: 'table';
  readonly line: number;
  readonly value: Map<string, TomlEntry>;
  origin: Origin;
}

/** An array that `[[name]]` headers add to. */
interface DraftArray {
  readonly kind: 'array';
  readonly line: number;
  readonly value: Draft[];
}

/**
 * Reads TOML 1.0 and keeps the line of every key and value, so that each complaint can name it.
 *
 * Own code because the parsers at hand give positions for syntax errors only, and a table named `constructor` or
 * `toString` in one of them changes what all objects inherit: profiles come from repositories. Integers
 * beyond 2^53 are an error here, and dates are kept as their text.
 *
 * @throws {ConfigError} whose message starts with `fileName:LINE:`.
 */
export function parseToml(text: string, fileName: string): TomlTable {
  const reader = new TomlReader(text, fileName);
  const document = new Document(reader);
  for (reader.skipBlank(); !reader.isAtEnd; reader.skipBlank()) {
    document.readStatement();
    reader.expectLineEnd();
  }
  return document.root;
}

class Document {
  readonly root: Draft = newTable(1, 'header');
  readonly #reader: TomlReader;
  /** Which tables were made here, with their state; arrays of `[[…]]` are told from written ones by it. */
  readonly #drafts = new Map<TomlValue, Draft>([[this.root, this.root]]);
  readonly #growing = new Map<TomlValue, DraftArray>();
  #current: Draft = this.root;
  #depth = 0;

  constructor(reader: TomlReader) {
    this.#reader = reader;
  }

  readStatement(): void {
    if (this.#reader.take('[[')) this.#readHeader(']]');
    else if (this.#reader.take('[')) this.#readHeader(']');
    else this.#readPair(this.#current);
  }

  #readHeader(end: ']' | ']]'): void {
    const { line } = this.#reader;
    const path = readKeyPath(this.#reader);
    if (!this.#reader.take(end)) this.#reader.fail(`expected "${end}" after the table's name`);
    const parent = path.slice(0, -1).reduce((table, name) => this.#passThrough(table, name, line), this.root);
    const name = path.at(-1) ?? '';
    this.#current = end === ']' ? this.#openTable(parent, name, line) : this.#addToArray(parent, name, line);
  }

  #passThrough(table: Draft, name: string, line: number): Draft {
    const found = table.value.get(name);
    if (found === undefined) return this.#addTable(table, name, line, 'passed');
    const last = this.#growing.get(found.value)?.value.at(-1);
    const next = last ?? this.#drafts.get(found.value);
    if (next === undefined || next.origin === 'closed') return this.#redefined(name, found, line);
    return next;
  }

  #openTable(parent: Draft, name: string, line: number): Draft {
    const found = parent.value.get(name);
    if (found === undefined) return this.#addTable(parent, name, line, 'header');
    const table = this.#drafts.get(found.value);
    if (table?.origin !== 'passed') return this.#redefined(name, found, line);
    table.origin = 'header';
    return table;
  }

  #addToArray(parent: Draft, name: string, line: number): Draft {
    const found = parent.value.get(name);
    let array: DraftArray | undefined;
    if (found === undefined) {
      array = { kind: 'array', line, value: [] };
      this.#growing.set(array, array);
      parent.value.set(name, { line, value: array });
    } else {
      array = this.#growing.get(found.value);
    }
    if (array === undefined) return this.#redefined(name, found ?? { line }, line);
    const table = newTable(line, 'header');
    this.#drafts.set(table, table);
    array.value.push(table);
    return table;
  }

  /** `key = value`, `a.b = value`; also in an inline table. */
  #readPair(into: Draft): void {
    const { line } = this.#reader;
    const path = readKeyPath(this.#reader);
    if (!this.#reader.take('=')) this.#reader.fail('expected "=" after the key');
    this.#reader.skipSpace();
    let table = into;
    for (const name of path.slice(0, -1)) {
      const found = table.value.get(name);
      const next = found === undefined ? this.#addTable(table, name, line, 'dotted') : this.#drafts.get(found.value);
      if (found !== undefined && next?.origin !== 'dotted') this.#redefined(name, found, line);
      table = next ?? table;
    }
    const name = path.at(-1) ?? '';
    const found = table.value.get(name);
    if (found !== undefined) this.#redefined(name, found, line);
    table.value.set(name, { line, value: this.#readValue() });
  }

  #readValue(): TomlValue {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#reader.fail('arrays and tables are nested too deeply');
    const value = this.#readAnyValue();
    this.#depth -= 1;
    return value;
  }

  #readAnyValue(): TomlValue {
    if (this.#reader.take('[')) return readArray(this.#reader, () => this.#readValue());
    if (this.#reader.take('{')) return this.#readInlineTable();
    return readScalar(this.#reader);
  }

  #readInlineTable(): Draft {
    const table = newTable(this.#reader.line, 'dotted');
    this.#drafts.set(table, table);
    this.#reader.skipSpace();
    if (!this.#reader.take('}')) {
      do {
        this.#reader.skipSpace();
        this.#readPair(table);
        this.#reader.skipSpace();
      } while (this.#reader.take(','));
      if (!this.#reader.take('}')) this.#reader.fail('expected "," or "}" in the inline table');
    }
    this.#close(table);
    return table;
  }

  /** Nothing is added to an inline table from outside, nor to what its dotted keys made. */
  #close(table: Draft): void {
    table.origin = 'closed';
    for (const { value } of table.value.values()) {
      const inner = this.#drafts.get(value);
      if (inner !== undefined) this.#close(inner);
    }
  }

  #addTable(parent: Draft, name: string, line: number, origin: Origin): Draft {
    const table = newTable(line, origin);
    this.#drafts.set(table, table);
    parent.value.set(name, { line, value: table });
    return table;
  }

  #redefined(name: string, { line: first }: { readonly line: number }, line: number): never {
    return this.#reader.fail(`"${name}" is given a second time, first in line ${first}`, line);
  }
}

function newTable(line: number, origin: Origin): Draft {
  return { kind: 'table', line, value: new Map(), origin };
}
