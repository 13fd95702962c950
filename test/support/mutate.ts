import fc from 'fast-check';

/** One thing done to the bytes of a file or a frame; `place` counts places from the start, around and around. */
export type Mutation =
  | { readonly kind: 'flip'; readonly place: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly place: number }
  | { readonly kind: 'remove' | 'double'; readonly place: number; readonly length: number }
  | { readonly kind: 'insert'; readonly place: number; readonly text: string }
  | { readonly kind: 'splice'; readonly place: number; readonly other: number; readonly otherPlace: number }
  /** Another number in the place of one that is written in digits. */
  | { readonly kind: 'number'; readonly place: number; readonly text: string }
  /** Another value in the place of one of a JSON document, or of one line of JSON. */
  | { readonly kind: 'value'; readonly place: number; readonly value: unknown }
  | { readonly kind: 'drop'; readonly place: number };

/** Where a value is nested so deep that JSON.stringify() does not get there: put in when all else is done. */
const DEEP_MARK = '@deep@';
const DEEP_LEVELS = 200_000;
const DEEP = `${'['.repeat(DEEP_LEVELS)}${']'.repeat(DEEP_LEVELS)}`;
/** Outside the range of dates, of safe numbers, of 32 and of 64 bits. */
const NUMBERS = [
  '-1',
  '0',
  '1',
  '0.5',
  '-0',
  '1e308',
  '1e999',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '8640000000000001',
];
const TEXTS = [
  '',
  '\0',
  '\ud800',
  '\u001b]0;title\u0007\u001b[2J',
  '\u009b31m\u202e',
  '..',
  '../../../etc/passwd',
  '/',
  '/proc/self/mem',
  '__proto__',
  'constructor',
  '9999-99-99T99:99:99Z',
  'x'.repeat(70_000),
  DEEP_MARK,
];
const VALUES: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [[]],
  { base64: 'AP/+' },
  { base64: 7 },
  { toString: 1 },
  ...NUMBERS.map(Number).filter(Number.isFinite),
  ...TEXTS,
];
/** What is put in between: separators, ends of lines, bytes that are not UTF-8, beginnings without an end. */
const INSERTED = [
  '"',
  '\\',
  '\n',
  '\0',
  '\xff\xfe',
  '\xed\xa0\x80',
  '{',
  ']',
  ',',
  '\x1b[',
  '\x1b]8;;',
  '[['.repeat(5000),
  ' '.repeat(5000),
];

const place = fc.nat({ max: 1_000_000 });
const length = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 5000 }));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), place, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('cut' as const), place }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'double' as const), place, length }),
  fc.record({ kind: fc.constant('insert' as const), place, text: fc.constantFrom(...INSERTED) }),
  fc.record({ kind: fc.constant('splice' as const), place, other: fc.nat({ max: 1000 }), otherPlace: place }),
  fc.record({ kind: fc.constant('number' as const), place, text: fc.constantFrom(...NUMBERS) }),
);
const jsonMutation: fc.Arbitrary<Mutation> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('value' as const), place, value: fc.constantFrom(...VALUES) }), weight: 5 },
  { arbitrary: fc.record({ kind: fc.constant('drop' as const), place }), weight: 1 },
);

/** A few mutations of bytes. */
export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
/** A few mutations of what is JSON, most of which leave it JSON. */
export const jsonMutations = fc.oneof(
  { arbitrary: fc.array(jsonMutation, { minLength: 1, maxLength: 3 }), weight: 3 },
  { arbitrary: mutations, weight: 1 },
);

/** @param corpus Where splices come from. */
export function mutate(data: Buffer, changes: readonly Mutation[], corpus: readonly Buffer[] = [data]): Buffer {
  const changed = changes.reduce((now, change) => apply(now, change, corpus), data);
  return changed.includes(DEEP_MARK)
    ? Buffer.from(changed.toString('latin1').replaceAll(`"${DEEP_MARK}"`, DEEP), 'latin1')
    : changed;
}

function apply(data: Buffer, change: Mutation, corpus: readonly Buffer[]): Buffer {
  const at = change.place % (data.length + 1);
  const [before, after] = [data.subarray(0, at), data.subarray(at)];
  switch (change.kind) {
    case 'flip':
      return Buffer.from(data.map((byte, index) => (index === at ? byte ^ (1 << change.bit) : byte)));
    case 'cut':
      return before;
    case 'remove':
      return Buffer.concat([before, after.subarray(change.length)]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, change.length), after]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(change.text, 'latin1'), after]);
    case 'splice': {
      const other = corpus[change.other % corpus.length] ?? data;
      return Buffer.concat([before, other.subarray(change.otherPlace % (other.length + 1))]);
    }
    case 'number':
      return replaceNumber(data, change);
    case 'value':
    case 'drop':
      return changeJson(data, change);
  }
}

function replaceNumber(data: Buffer, { place: nth, text }: Extract<Mutation, { kind: 'number' }>): Buffer {
  const written = data.toString('latin1');
  const found = [...written.matchAll(/\d+/g)];
  const chosen = found[nth % Math.max(1, found.length)];
  if (chosen === undefined) return data;
  return Buffer.from(written.slice(0, chosen.index) + text + written.slice(chosen.index + chosen[0].length), 'latin1');
}

function changeJson(data: Buffer, change: Extract<Mutation, { kind: 'value' | 'drop' }>): Buffer {
  const text = data.toString('utf8');
  const whole = parse(text);
  if (whole !== undefined) {
    // As it was written: what has a seal is compared byte for byte.
    const indent = text.startsWith('{\n') ? / +/.exec(text)?.[0] : undefined;
    return Buffer.from(write(changeValue(whole.value, change), indent) + (text.endsWith('\n') ? '\n' : ''));
  }
  const lines = text.split('\n');
  const nth = change.place % lines.length;
  const line = parse(lines[nth] ?? '');
  if (line === undefined) return data;
  return Buffer.from(lines.with(nth, write(changeValue(line.value, change))).join('\n'));
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function write(value: unknown, indent?: string): string {
  return JSON.stringify(value, undefined, indent) ?? 'null';
}

type Container = Record<string, unknown> | unknown[];

function changeValue(root: unknown, change: Extract<Mutation, { kind: 'value' | 'drop' }>): unknown {
  const places: { readonly within: Container; readonly key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      places.push({ within: value as Container, key });
      visit(child);
    }
  };
  visit(root);
  const chosen = places[change.place % Math.max(1, places.length)];
  if (chosen === undefined) return change.kind === 'value' ? change.value : root;
  const { within, key } = chosen;
  if (change.kind === 'value') (within as Record<string, unknown>)[key] = change.value;
  else if (Array.isArray(within)) within.splice(Number(key), 1);
  else delete within[key];
  return root;
}
