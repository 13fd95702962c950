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
}

/** A whole number. */
export function count<Value extends number | Unlimited>({
  fallback,
  doc,
  minimum,
  maximum,
}: Described<Value> & Range): Setting<number | Value> {
  return {
    fallback,
    doc,
    expects: `a whole number from ${minimum} to ${maximum}`,
    read: (value) => (value.kind === 'integer' && isIn(value.value, { minimum, maximum }) ? value.value : undefined),
  };
}

/** Any number, with or without a fraction. */
export function quantity({ fallback, doc, minimum, maximum }: Described<number> & Range): Setting<number> {
  return {
    fallback,
    doc,
    expects: `a number from ${minimum} to ${maximum}`,
    read: (value) =>
      (value.kind === 'integer' || value.kind === 'float') && isIn(value.value, { minimum, maximum }) ? value.value : undefined,
  };
}

/** A number of bytes, or a text such as "512MB" (powers of 1000) or "2GiB" (powers of 1024). */
export function size<Value extends number | Unlimited>({ fallback, doc }: Described<Value>): Setting<number | Value> {
  return {
    fallback,
    doc,
    expects: 'a number of bytes, or a text such as "512MB" or "2GiB"',
    read(value) {
      if (value.kind === 'integer') return value.value >= 0 ? value.value : undefined;
      return value.kind === 'text' ? parseSize(value.value) : undefined;
    },
  };
}

/** A text that is not empty. */
export function text<Value extends string | undefined>({ fallback, doc }: Described<Value>): Setting<string | Value> {
  return {
    fallback,
    doc,
    expects: 'a text that is not empty',
    read: (value) => (value.kind === 'text' && value.value.trim() !== '' ? value.value : undefined),
  };
}

/** Keys to press one after the other, separated by spaces. */
export function keySequence({ fallback, doc }: { readonly fallback: string; readonly doc: string }): Setting<readonly string[]> {
  return {
    fallback: parseKeySequence(fallback) ?? [],
    doc,
    expects:
      'two or more keys separated by spaces, each a single character, esc, tab, enter, space or ctrl-X, such as "ctrl-] d"',
    read: (value) => (value.kind === 'text' ? parseKeySequence(value.value) : undefined),
  };
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
