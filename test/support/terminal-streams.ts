import fc from 'fast-check';

const number = (maximum: number) => fc.integer({ min: 0, max: maximum });
const csi = (final: string, maximum = 9) => number(maximum).map((count) => `\x1b[${count}${final}`);

const TEXTS = [
  'hello',
  'x',
  ' ',
  'a longer line that has to wrap somewhere',
  '日本',
  'é',
  'e\u0301',
  'a\u0301\u0327b',
  '👍',
  '👍🏽',
  '👩‍👩‍👧‍👦',
  '🇩🇪',
  '❤️',
  '✔︎',
  'שלום',
  'مرحبا',
  '\u200b',
  '각',
  'ก็',
  '┌─┐',
  '\t',
  '\r\n',
  '\n',
  '\r',
  '\b',
] as const;

// biome-ignore format: one a line is no easier to read
const FIXED = [
  '\x1b7', '\x1b8', '\x1bD', '\x1bE', '\x1bM', '\x1bH', '\x1bc', '\x1b=', '\x1b>',
  '\x1b(0', '\x1b(B', '\x1b)0', '\x0e', '\x0f', '\x1b(A', '\x1b[m', '\x1b[1m', '\x1b[31m',
  '\x1b[1;3;4;7;9m', '\x1b[2;5;8;53m', '\x1b[44m', '\x1b[97;103m', '\x1b[38;5;208m', '\x1b[48;2;1;2;3m', '\x1b[4:3m', '\x1b[4:5;58:2::9:8:7m', '\x1b[58;5;99;4m',
  '\x1b[24m', '\x1b[22;27m', '\x1b[49m', '\x1b[39m', '\x1b[0;4m', '\x1b[?1049h', '\x1b[?1049l', '\x1b[?47h', '\x1b[?47l',
  '\x1b[?1047h', '\x1b[?1047l', '\x1b[?1048h', '\x1b[?1048l', '\x1b[?6h', '\x1b[?6l', '\x1b[?7l', '\x1b[?7h', '\x1b[?25l',
  '\x1b[?25h', '\x1b[?1h', '\x1b[?5h', '\x1b[4h', '\x1b[4l', '\x1b[20h', '\x1b[20l', '\x1b[?1000h', '\x1b[?1002;1006h',
  '\x1b[?1003l', '\x1b[?2004h', '\x1b[?1004h', '\x1b[?2026h', '\x1b[?2026l', '\x1b[?2031h', '\x1b[>1u', '\x1b[>5u', '\x1b[<u',
  '\x1b[=3;1u', '\x1b[>4;2m', '\x1b[>4m', '\x1b[5 q', '\x1b[ q', '\x1b[!p', '\x1b[1"q', '\x1b[0"q', '\x1b]2;a title\x07',
  '\x1b]0;both\x1b\\', '\x1b[22;0t', '\x1b[23;0t', '\x1b]4;1;#ff0000\x07', '\x1b]104\x07', '\x1b]11;#000\x07', '\x1b]111\x07', '\x1b]8;;http://a/\x1b\\', '\x1b]8;id=1;http://b/;c\x07',
  '\x1b]8;;\x07', '\x1b]7;file://h/tmp\x07', '\x1b]133;A\x07', '\x1b]133;C\x07', '\x1b[c', '\x1b[6n', '\x1b]52;c;aGk=\x07', '\x1bP$qm\x1b\\', '\x1b[3g',
  '\x1b[g', '\x1b[r', '\x1b[2;4r', '\x1b[3;6r', '\x1b[1;3r', '\x1b#8', '\x1b[2J', '\x1b[J', '\x1b[1J',
  '\x1b[3J', '\x1b[K', '\x1b[1K', '\x1b[2K', '\x1b[?1006s', '\x1b[?1006r', '\x1b[s', '\x1b[u', '\x1b[2 @',
  '\u0090', '\u0098', '\u009d', '\u009e', '\u009f', '\u009d2;',
  '\x1bkname\x1b\\', '\x1b]R', '\x1b]P1aabbcc', '\x1b[?1c', '\x1b[?0c', '\x1b[?69h', '\x1b[?69l', '\x1b[2;5s',
] as const;

const fragment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 6, arbitrary: fc.constantFrom(...FIXED) },
  { weight: 2, arbitrary: fc.oneof(...Array.from('ABCDEFGIZ@PXLMSTabde`', (final) => csi(final))) },
  { weight: 2, arbitrary: fc.tuple(number(8), number(22)).map(([row, column]) => `\x1b[${row};${column}H`) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
);

/** What programs write, and what they never would. */
export const stream = fc.array(fragment, { maxLength: 40 }).map((pieces) => Buffer.from(pieces.join('')));

/** Bytes of any kind: broken sequences and broken UTF-8. */
export const noise = fc
  .uint8Array({ maxLength: 60 })
  .chain((bytes) =>
    stream.map((text) => Buffer.concat([text.subarray(0, text.length >> 1), bytes, text.subarray(text.length >> 1)])),
  );

/** A piece of what a real program wrote, in which some bytes are others, are missing, or come from elsewhere. */
export function mutated(recorded: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(recorded.length);
  const change = fc.record({
    at: fc.nat(),
    removed: fc.oneof(fc.constant(0), fc.nat(20)),
    put: fc.oneof(
      fragment.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 3 }),
      fc.tuple(place, fc.nat(300)).map(([from, length]) => recorded.subarray(from, from + length)),
    ),
  });
  return fc.tuple(place, fc.nat(3000), fc.array(change, { maxLength: 20 })).map(([from, length, changes]) =>
    changes.reduce<Uint8Array>(
      (bytes, { at, removed, put }) => {
        const begin = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, begin), put, bytes.subarray(begin + removed)]);
      },
      recorded.subarray(from, from + length),
    ),
  );
}

/** The same bytes in pieces. */
export function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}
