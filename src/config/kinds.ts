import { parseKeySequence } from './key-sequence.ts';
import type { TomlValue } from './toml-value.ts';

/** One key of a configuration file: a row of the schema. */
export interface Setting<Value> {
  /** What a key that is absent means. */
  readonly fallback: Value;
  /** One line for people: what it does and in which unit. */
  readonly doc: string;
  /** What a value has to be, for messages: `a whole number from 1 to 1000`. */
  readonly expects: string;
  /** @returns undefined when the value is not what is expected. */
  readonly read: (value: TomlValue) => Value | undefined;
  /** A value as the file would have it, for templates; the fallback is its own example. */
  readonly example?: string;
  /** Which part of a list or a table is wrong, for the message and its line; the whole by default. */
  readonly culprit?: (value: TomlValue) => TomlValue | undefined;
}

/** A text of a file, and where it stands. */
export interface PlacedText {
  readonly text: string;
  readonly line: number;
}

/** No limit: the key's absence. */
type Unlimited = undefined;

interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

interface Described<Value> {
  readonly fallback: Value;
  readonly doc: string;
  readonly example?: string;
}

/** A whole number. */
export function count<Value extends number | Unlimited>({
  fallback,
  doc,
  example,
  minimum,
  maximum,
}: Described<Value> & Range): Setting<number | Value> {
  return {
    ...described({ fallback, doc, example }),
    expects: `a whole number from ${minimum} to ${maximum}`,
    read: (value) => (value.kind === 'integer' && isIn(value.value, { minimum, maximum }) ? value.value : undefined),
  };
}

/** Any number, with or without a fraction. */
export function quantity({ fallback, doc, example, minimum, maximum }: Described<number> & Range): Setting<number> {
  return {
    ...described({ fallback, doc, example }),
    expects: `a number from ${minimum} to ${maximum}`,
    read: (value) =>
      (value.kind === 'integer' || value.kind === 'float') && isIn(value.value, { minimum, maximum }) ? value.value : undefined,
  };
}

/** A number of bytes, or a text such as "512MB" (powers of 1000) or "2GiB" (powers of 1024). */
export function size<Value extends number | Unlimited>({ fallback, doc, example }: Described<Value>): Setting<number | Value> {
  return {
    ...described({ fallback, doc, example }),
    expects: 'a number of bytes, or a text such as "512MB" or "2GiB"',
    read(value) {
      if (value.kind === 'integer') return value.value >= 0 ? value.value : undefined;
      return value.kind === 'text' ? parseSize(value.value) : undefined;
    },
  };
}

/** A text that is not empty. */
export function text<Value extends string | undefined>({ fallback, doc, example }: Described<Value>): Setting<string | Value> {
  return {
    ...described({ fallback, doc, example }),
    expects: 'a text that is not empty',
    read: (value) => (value.kind === 'text' && value.value.trim() !== '' ? value.value : undefined),
  };
}

/** True or false. */
export function flag<Value extends boolean | undefined>({ fallback, doc, example }: Described<Value>): Setting<boolean | Value> {
  return {
    ...described({ fallback, doc, example }),
    expects: 'true or false',
    read: (value) => (value.kind === 'boolean' ? value.value : undefined),
  };
}

/** One of a few values. */
export function choice<const Value extends string | boolean>({
  choices,
  doc,
}: {
  readonly choices: readonly Value[];
  readonly doc: string;
}): Setting<Value | undefined> {
  const words = choices.map((value) => JSON.stringify(value));
  return {
    fallback: undefined,
    doc,
    expects: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    example: words.at(-1) ?? '',
    read: ({ value }) => choices.find((known) => known === value),
  };
}

interface Texts {
  readonly doc: string;
  /** What each text has to be, in the plural. */
  readonly expects: string;
  readonly isGood: (text: string) => boolean;
  readonly example: string;
}

/** A list of texts; where `allowsOne` says so, a single text stands for a list of one. */
export function texts({
  doc,
  expects,
  isGood,
  example,
  allowsOne = false,
}: Texts & { readonly allowsOne?: boolean }): Setting<readonly PlacedText[]> {
  const isBad = (value: TomlValue): boolean => value.kind !== 'text' || !isGood(value.value);
  const listOf = (value: TomlValue): readonly TomlValue[] | undefined => {
    if (value.kind === 'array') return value.value;
    return allowsOne && value.kind === 'text' ? [value] : undefined;
  };
  return {
    fallback: [],
    doc,
    example,
    expects: `a list of ${expects}`,
    read(value) {
      const list = listOf(value);
      if (list === undefined || list.some(isBad)) return undefined;
      return list.flatMap((item) => (item.kind === 'text' ? [{ text: item.value, line: item.line }] : []));
    },
    culprit: (value) => listOf(value)?.find(isBad),
  };
}

/** A table of names and texts. */
export function textTable({ doc, expects, isGood, example }: Texts): Setting<ReadonlyMap<string, PlacedText>> {
  return {
    fallback: new Map(),
    doc,
    example,
    expects: `a table of ${expects}`,
    read(value) {
      if (value.kind !== 'table') return undefined;
      const pairs = Array.from(value.value, ([name, { line, value: item }]) =>
        isText(item) && isGood(name) ? ([name, { text: item.value, line }] as const) : undefined,
      );
      const good = pairs.filter((pair) => pair !== undefined);
      return good.length === pairs.length ? new Map(good) : undefined;
    },
    culprit: (value) =>
      value.kind === 'table'
        ? Array.from(value.value, ([name, { line, value: item }]): TomlValue | undefined =>
            isGood(name) ? (isText(item) ? undefined : item) : { kind: 'text', line, value: name },
          ).find((item) => item !== undefined)
        : undefined,
  };
}

/** A text that can be the value of a variable. */
function isText(value: TomlValue): value is TomlValue & { readonly kind: 'text' } {
  return value.kind === 'text' && !value.value.includes('\0');
}

/** Keys to press one after the other, separated by spaces. */
export function keySequence({ fallback, doc }: { readonly fallback: string; readonly doc: string }): Setting<readonly string[]> {
  return {
    fallback: parseKeySequence(fallback) ?? [],
    doc,
    example: JSON.stringify(fallback),
    expects:
      'two or more keys separated by spaces, each a single character, esc, tab, enter, space or ctrl-X, such as "ctrl-] d"',
    read: (value) => (value.kind === 'text' ? parseKeySequence(value.value) : undefined),
  };
}

/** The first properties of a setting; the example is written out where there is none. */
function described<Value>({
  fallback,
  doc,
  example,
}: {
  readonly fallback: Value;
  readonly doc: string;
  readonly example: string | undefined;
}) {
  return { fallback, doc, example: example ?? JSON.stringify(fallback) ?? '' };
}

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KIB', 2 ** 10],
  ['MIB', 2 ** 20],
  ['GIB', 2 ** 30],
  ['TIB', 2 ** 40],
]);

function parseSize(written: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(written.trim()) ?? [];
  const factor = UNIT_BYTES.get(unit.toUpperCase());
  if (digits === undefined || factor === undefined) return undefined;
  const bytes = Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** False for NaN too. */
function isIn(value: number, { minimum, maximum }: Range): boolean {
  return value >= minimum && value <= maximum;
}
