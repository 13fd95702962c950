import fc from 'fast-check';

// biome-ignore format: one a line is no easier to read
const FIXED = [
  'hello', 'x', ' ', 'a longer line that has to wrap somewhere on the way', '日本語', 'é', '─│', '\r\n', '\r\n', '\n', '\r', '\b', '\t',
  '\x1b[m', '\x1b[1m', '\x1b[31m', '\x1b[3;4;7;9m', '\x1b[2;5;8;53m', '\x1b[44m', '\x1b[97;103m', '\x1b[38;5;208m', '\x1b[48;2;1;2;3m',
  '\x1b[4:3m', '\x1b[4:5m', '\x1b[24m', '\x1b[22;27m', '\x1b[49m', '\x1b[39m', '\x1b[7;41m', '\x1b[0;30;47m',
  '\x1b7', '\x1b8', '\x1bD', '\x1bE', '\x1bM', '\x1b=', '\x1b>', '\x1b(0', '\x1b(B',
  '\x1b[?25l', '\x1b[?25h', '\x1b[?1h', '\x1b[4h', '\x1b[4l', '\x1b[?1000h', '\x1b[?1002h', '\x1b[?1006h', '\x1b[?1000l',
  '\x1b[2;4r', '\x1b[3;6r', '\x1b[r', '\x1b[J', '\x1b[1J', '\x1b[K', '\x1b[1K', '\x1b[2K', '\x1b[?1049h', '\x1b[?1049l',
] as const;
/** Lines are inserted and deleted in the region: outside of it tmux does so on the whole screen, and leaves the cursor in its column. */
const WITHIN = '\x1b[2;6r\x1b[4;1H';
const small = fc.integer({ min: 1, max: 6 });

const fragment = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...FIXED) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(small, fc.constantFrom('A', 'B', 'C', 'D', 'G', 'd', '@', 'P', 'X', 'L', 'M'))
      .map(([count, final]) => `${'LM'.includes(final) ? WITHIN : ''}\x1b[${count}${final}`),
  },
  { weight: 2, arbitrary: fc.tuple(small, fc.integer({ min: 1, max: 20 })).map(([row, column]) => `\x1b[${row};${column}H`) },
);

/** What xterm.js and tmux understand alike: the same bytes are to show the same in a terminal and through a drawing of it. */
export const tmuxStream = fc
  .array(fragment, { minLength: 5, maxLength: 60 })
  .map((pieces) => Buffer.from(withoutRepeats(pieces).join('')));

/** Leaving a screen that one is not on restores the cursor in xterm and xterm.js, and does nothing in tmux. */
function withoutRepeats(pieces: readonly string[]): readonly string[] {
  let isAlternate = false;
  return pieces.filter((piece) => {
    if (!piece.startsWith('\x1b[?1049')) return true;
    const isOn = piece.endsWith('h');
    const isChange = isOn !== isAlternate;
    isAlternate = isOn;
    return isChange;
  });
}
