import TOML from '@iarna/toml';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseToml } from '../../src/config/toml.ts';
import type { TomlValue } from '../../src/config/toml-value.ts';
import { ConfigError } from '../../src/errors.ts';
import { runs } from '../support/effort.ts';

const RUNS = runs(import.meta.filename, 20_000);

/** Names that the other parser cannot hold: it writes into what all objects inherit. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** Our values as plain data, for comparison. */
function plain(value: TomlValue): unknown {
  if (value.kind === 'array') return value.value.map(plain);
  if (value.kind === 'table') return Object.fromEntries([...value.value].map(([key, entry]) => [key, plain(entry.value)]));
  return value.value;
}

/** The data, or the message of the refusal. */
function readOurs(text: string): { readonly data: unknown } | { readonly refusal: string } {
  try {
    return { data: plain(parseToml(text, 'f')) };
  } catch (error) {
    if (error instanceof ConfigError) return { refusal: error.message };
    throw error;
  }
}

function readTheirs(text: string): unknown {
  try {
    return withoutSymbols(TOML.parse(text));
  } catch {
    return undefined;
  }
}

/** Their tables carry marks of their own. */
function withoutSymbols(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSymbols);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSymbols(inner)]));
}

const name = fc
  .oneof(fc.stringMatching(/^[a-z]{1,3}$/), fc.string())
  .filter((key) => !INHERITED.has(key) && !/[\p{Cc}\p{Cs}]/u.test(key));
/** Its writer puts `.undefined` behind a number with an exponent. */
const quotient = fc.integer().map((number) => number / 128);
const scalar = fc.oneof(
  fc.string().filter((text) => !/\p{Cs}/u.test(text)),
  fc.integer(),
  fc.boolean(),
  quotient,
);
const { document } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('document'), fc.array(fc.string({ unit: 'grapheme-ascii' }))),
  document: fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));

const key = fc.constantFrom('a', 'b', 'c', 'a.b', 'b.c', 'a.b.c', '"a"', "b.'c'", 'a . b', 'a..b', '');
const written = fc.constantFrom(
  '1',
  '-2_0',
  '+0',
  '0x1F',
  '0b11',
  '01',
  '1.5e3',
  '1.',
  'inf',
  'true',
  'truth',
  '"x\\ny"',
  '"\\u00e9"',
  '"\\q"',
  '"',
  "'lit'",
  '"""m\nn"""',
  '"""\n\\\n  z""""',
  "'''\no'''",
  '[]',
  '[1, 2]',
  '[[1],["x"],]',
  '[\n 1, # one\n]',
  '[1 2]',
  '{ }',
  '{ a = 1, b.c = 2 }',
  '{ a = 1, }',
  '',
);
const end = fc.constantFrom('\n', '\n', '\r\n', ' # note\n', '\n\n', ' ');
const statement = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(key, fc.constantFrom('=', ' = '), written, end) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('['), key, fc.constant(']'), end) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('[['), key, fc.constant(']]'), end) },
);

describe('parseToml()', () => {
  test('reads what another implementation writes', () => {
    fc.assert(
      fc.property(document, (data) => {
        const text = TOML.stringify(data as Parameters<typeof TOML.stringify>[0]);
        expect(readOurs(text)).toEqual({ data: readTheirs(text) });
      }),
      { numRuns: Math.ceil(RUNS / 40) },
    );
  });

  test('accepts and refuses the same documents as another implementation, with the same values', () => {
    const outcomes = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 5 }), (statements) => {
        const text = statements.flat().join('');
        const ours = readOurs(text);
        const theirs = readTheirs(text);
        outcomes[theirs === undefined ? 'refused' : 'accepted'] += 1;
        // The other one lets a header open a table that dotted keys have made, which TOML 1.0 forbids.
        if ('refusal' in ours && theirs !== undefined)
          expect({ text, ...ours }).toEqual({ text, refusal: expect.stringContaining('a second time') });
        else expect({ text, data: 'data' in ours ? ours.data : undefined }).toEqual({ text, data: theirs });
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(RUNS / 20);
  });

  test('ends, with an error of a line that exists, on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          parseToml(text, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          const [, line] = /^f:(\d+): /.exec(error instanceof Error ? error.message : '') ?? [];
          expect(Number(line)).toBeGreaterThanOrEqual(1);
          expect(Number(line)).toBeLessThanOrEqual(text.split('\n').length);
        }
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });
});
