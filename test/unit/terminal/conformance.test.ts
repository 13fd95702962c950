import { describe, expect, test } from 'vitest';
import { createModel, describeScreen, redrawn } from '../../support/screens.ts';

const SIZE = { columns: 10, rows: 4 };
const ESC = '\x1b';

interface Case {
  readonly what: string;
  readonly written: string;
  /** Rows of the screen, without blanks at their ends and without empty rows at the bottom. */
  readonly rows: readonly string[];
  /** Column and row, from 0; a column of 10 waits behind the last one. */
  readonly cursor?: readonly [column: number, row: number];
}

/** What a terminal of the DEC VT family, as xterm has become it, makes of each. */
const CASES: readonly Case[] = [
  { what: 'a full row waits before it wraps', written: '0123456789', rows: ['0123456789'], cursor: [10, 0] },
  { what: 'the next character wraps', written: '0123456789a', rows: ['0123456789', 'a'], cursor: [1, 1] },
  { what: 'CR cancels the wait', written: '0123456789\rX', rows: ['X123456789'], cursor: [1, 0] },
  {
    what: 'BS after a full row goes to the column before the last',
    written: '0123456789\bX',
    rows: ['01234567X9'],
    cursor: [9, 0],
  },
  { what: 'LF keeps the column', written: 'ab\ncd', rows: ['ab', '  cd'], cursor: [4, 1] },
  { what: 'VT and FF are line feeds', written: 'a\vb\fc', rows: ['a', ' b', '  c'], cursor: [3, 2] },
  { what: 'NEL goes to the start of the next row', written: `ab${ESC}Ecd`, rows: ['ab', 'cd'], cursor: [2, 1] },
  { what: 'LF in the last row scrolls', written: 'a\r\nb\r\nc\r\nd\r\ne', rows: ['b', 'c', 'd', 'e'], cursor: [1, 3] },
  { what: 'RI in the first row scrolls back', written: `a\r\nb${ESC}[H${ESC}Mc`, rows: ['c', 'a', 'b'], cursor: [1, 0] },
  { what: 'no autowrap: the last column is written over', written: `${ESC}[?7l0123456789ab`, rows: ['012345678b'] },
  { what: 'CUP is bounded by the screen', written: `${ESC}[99;99HX`, rows: ['', '', '', '         X'] },
  { what: 'CUP counts 0 as 1', written: `${ESC}[0;0HX`, rows: ['X'], cursor: [1, 0] },
  { what: 'HPA and VPA move along one axis', written: `${ESC}[3d${ESC}[5GX`, rows: ['', '', '    X'], cursor: [5, 2] },
  { what: 'CUU and CUD stop at the edges', written: `${ESC}[9AX${ESC}[9BY`, rows: ['X', '', '', ' Y'], cursor: [2, 3] },
  { what: 'CUF and CUB stop at the edges', written: `${ESC}[99CX${ESC}[99DY`, rows: ['Y        X'], cursor: [1, 0] },
  { what: 'CNL and CPL go to the first column', written: `abc${ESC}[2EX${ESC}[FY`, rows: ['abc', 'Y', 'X'], cursor: [1, 1] },
  { what: 'ED 0 erases from the cursor on', written: `aaa\r\nbbb\r\nccc${ESC}[2;2H${ESC}[J`, rows: ['aaa', 'b'], cursor: [1, 1] },
  { what: 'ED 1 erases up to the cursor, with it', written: `aaa\r\nbbb\r\nccc${ESC}[2;2H${ESC}[1J`, rows: ['', '  b', 'ccc'] },
  { what: 'ED 2 leaves the cursor', written: `aaa\r\nbb${ESC}[2J`, rows: [], cursor: [2, 1] },
  {
    what: 'EL 0, 1 and 2',
    written: `abcd${ESC}[2D${ESC}[K\r\nabcd${ESC}[3D${ESC}[1K\r\nabcd${ESC}[2K`,
    rows: ['ab', '  cd'],
    cursor: [4, 2],
  },
  { what: 'ECH erases without moving', written: `abcdef${ESC}[2G${ESC}[3X`, rows: ['a   ef'], cursor: [1, 0] },
  {
    what: 'ICH pushes to the right, out of the row',
    written: `0123456789${ESC}[1;3H${ESC}[2@`,
    rows: ['01  234567'],
    cursor: [2, 0],
  },
  { what: 'DCH pulls from the right', written: `0123456789${ESC}[1;3H${ESC}[2P`, rows: ['01456789'], cursor: [2, 0] },
  { what: 'insert mode', written: `abc\r${ESC}[4hX${ESC}[4lY`, rows: ['XYbc'], cursor: [2, 0] },
  { what: 'IL and DL', written: `a\r\nb\r\nc\r\nd${ESC}[2;1H${ESC}[L${ESC}[4;1H${ESC}[M`, rows: ['a', '', 'b'] },
  { what: 'SU and SD', written: `a\r\nb\r\nc${ESC}[S${ESC}[2T`, rows: ['', '', 'b', 'c'], cursor: [1, 2] },
  { what: 'a region scrolls by itself', written: `a\r\nb\r\nc\r\nd${ESC}[2;3r${ESC}[3;1H\nX`, rows: ['a', 'c', 'X', 'd'] },
  {
    what: 'RI at the top of a region scrolls that back',
    written: `a\r\nb\r\nc\r\nd${ESC}[2;3r${ESC}[2;1H${ESC}MX`,
    rows: ['a', 'X', 'b', 'd'],
  },
  { what: 'LF below a region stops at the last row', written: `${ESC}[1;2r${ESC}[4;1Ha\nb`, rows: ['', '', '', 'ab'] },
  { what: 'DECSTBM homes the cursor', written: `abc${ESC}[2;3rX`, rows: ['Xbc'], cursor: [1, 0] },
  { what: 'DECSTBM of one row is passed over', written: `abc${ESC}[2;2rX`, rows: ['abcX'], cursor: [4, 0] },
  {
    what: 'origin mode counts from the region and stays in it',
    written: `${ESC}[2;3r${ESC}[?6hX${ESC}[9;1HY`,
    rows: ['', 'X', 'Y'],
    cursor: [1, 2],
  },
  {
    what: 'DECSC and DECRC keep place and pen',
    written: `ab${ESC}7${ESC}[3;3HX${ESC}8c`,
    rows: ['abc', '', '  X'],
    cursor: [3, 0],
  },
  { what: 'DECRC without DECSC goes home', written: `abc${ESC}8X`, rows: ['Xbc'], cursor: [1, 0] },
  { what: 'tabs stand every eight columns', written: 'a\tb\tc', rows: ['a       bc'], cursor: [10, 0] },
  { what: 'HTS sets a stop, TBC 0 takes it', written: `${ESC}[4G${ESC}H\r\tX\r${ESC}[4G${ESC}[g\r\tY`, rows: ['   X    Y'] },
  { what: 'TBC 3 takes all: a tab goes to the end', written: `${ESC}[3g\tX`, rows: ['         X'], cursor: [10, 0] },
  { what: 'CHT and CBT', written: `${ESC}[IX${ESC}[ZY`, rows: ['        Y'], cursor: [9, 0] },
  { what: 'REP repeats the last character', written: `ab${ESC}[3b`, rows: ['abbbb'], cursor: [5, 0] },
  { what: 'DECALN fills the screen', written: `${ESC}#8`, rows: Array.from({ length: 4 }, () => 'E'.repeat(10)), cursor: [0, 0] },
  { what: 'line drawing', written: `${ESC}(0lqk${ESC}(Bl`, rows: ['┌─┐l'], cursor: [4, 0] },
  { what: 'SO and SI', written: `${ESC})0q\x0eq\x0fq`, rows: ['q─q'], cursor: [3, 0] },
  { what: 'the alternate screen and back', written: `abc${ESC}[?1049hX${ESC}[?1049ld`, rows: ['abcd'], cursor: [4, 0] },
  { what: 'mode 1047 clears what it leaves', written: `a${ESC}[?1047hX${ESC}[?1047l${ESC}[?1047h`, rows: [] },
  { what: 'a soft reset leaves the screen', written: `a${ESC}[?6h${ESC}[4h${ESC}[2;3r${ESC}[!pbc`, rows: ['a', 'bc'] },
  { what: 'a full reset empties it', written: `abc${ESC}[2;3r${ESC}[4h${ESC}c`, rows: [], cursor: [0, 0] },
  {
    what: 'a wide character that does not fit wraps as a whole',
    written: '012345678日',
    rows: ['012345678', '日'],
    cursor: [2, 1],
  },
  { what: 'writing into half of a wide character takes the other half', written: `日本${ESC}[1;2HX`, rows: [' X本'] },
  {
    what: 'an accent joins the character before it, also at the end of a row',
    written: '012345678e\u0301',
    rows: ['012345678e\u0301'],
    cursor: [10, 0],
  },
  { what: 'a flag is one of two columns', written: '🇩🇪x', rows: ['🇩🇪x'], cursor: [3, 0] },
  { what: 'controls within a sequence are carried out', written: `ab${ESC}[\r2CX`, rows: ['abX'], cursor: [3, 0] },
  { what: 'CAN breaks a sequence off', written: `a${ESC}[3\x18Cb`, rows: ['aCb'], cursor: [3, 0] },
  { what: 'an escape within a sequence begins anew', written: `a${ESC}[3${ESC}[1Cb`, rows: ['a b'], cursor: [3, 0] },
  { what: 'a string without an end shows nothing', written: `a${ESC}]0;title`, rows: ['a'], cursor: [1, 0] },
  { what: 'BEL and ST end an OSC', written: `${ESC}]0;t\x07a${ESC}]0;t${ESC}\\b`, rows: ['ab'], cursor: [2, 0] },
  { what: 'the name of a window is shown nowhere', written: `a${ESC}kuser@host:~${ESC}\\$ `, rows: ['a$'], cursor: [3, 0] },
  { what: 'an escape ends the name of a window too', written: `a${ESC}kname${ESC}[1Cb`, rows: ['a b'], cursor: [3, 0] },
  {
    what: 'what resets the colours of the console of Linux ends by itself',
    written: `a${ESC}]Rb${ESC}]Rc`,
    rows: ['abc'],
    cursor: [3, 0],
  },
  { what: 'so does what sets one of them', written: `a${ESC}]P0aabbCCddd${ESC}]P12`, rows: ['addd'], cursor: [4, 0] },
  {
    what: 'SCOSC is none while there are left and right margins',
    written: `ab${ESC}[s${ESC}[?69hc${ESC}[1;2sd${ESC}[ue`,
    rows: ['abed'],
  },
  { what: 'controls of C1 begin no string', written: 'a\u0090b\u0098c\u009dd\u009ee\u009ff', rows: ['abcdef'], cursor: [6, 0] },
  { what: 'nor do they in a string', written: `a${ESC}]0;t\u009eit\u0098le\x07b`, rows: ['ab'], cursor: [2, 0] },
  {
    what: 'what it does not know is passed over',
    written: `a${ESC}[?12345h${ESC}[1;2;3$z${ESC}P1;2|data${ESC}\\b`,
    rows: ['ab'],
    cursor: [2, 0],
  },
  { what: 'bytes that are no UTF-8 are replaced', written: 'a\xff\xfeb', rows: ['a\ufffd\ufffdb'], cursor: [4, 0] },
  { what: 'more than 32 parameters harm nothing', written: `${ESC}[${'1;'.repeat(40)}1mX`, rows: ['X'], cursor: [1, 0] },
  { what: 'a number too large harms nothing', written: `${ESC}[99999999999999999999CX`, rows: ['         X'] },
];

describe('TerminalModel', () => {
  test.for(CASES)('$what', ({ written, rows, cursor }) => {
    const model = createModel(SIZE);
    // Bytes that are no UTF-8 are written as they are.
    model.write(Buffer.from(written, written.includes('\xff') ? 'latin1' : 'utf8'));

    const { active } = model.buffers;
    const shown = Array.from({ length: SIZE.rows }, (_, at) => {
      const line = active.lines.get(active.ybase + at);
      return (line?.translateToString(true) ?? '').trimEnd();
    });
    while (shown.at(-1) === '') shown.pop();
    expect(shown).toEqual(rows);
    if (cursor !== undefined) expect([active.x, active.y]).toEqual(cursor);
    expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
  });
});

test.for(Array.from('ABCDEFGHIJKLMPSTXZ@`abdefgrst'))('CSI 2147483647 %s is over as soon as a screen is', (final) => {
  const [model, bounded] = [createModel(SIZE), createModel(SIZE)];
  for (const [one, count] of [
    [model, 2_147_483_647],
    [bounded, SIZE.columns * SIZE.rows],
  ] as const)
    one.write(Buffer.from(`abc\r\nde${ESC}[${count}${final}f`));
  const rowsOf = (one: typeof model) => (describeScreen(one)['normal'] as readonly unknown[]).slice(-SIZE.rows);

  expect(rowsOf(model)).toEqual(rowsOf(bounded));
});
