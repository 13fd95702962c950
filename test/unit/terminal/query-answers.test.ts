import { expect, test } from 'vitest';
import { createModel } from '../../support/screens.ts';

const ST = '\x1b\\';
const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();

/** What a program that nobody shows anything is answered. */
const QUESTIONS: readonly (readonly [what: string, asked: string, answer: string])[] = [
  ['DA1', '\x1b[c', '\x1b[?62;22c'],
  ['DA2', '\x1b[>c', '\x1b[>41;390;0c'],
  ['DA3', '\x1b[=c', `\x1bP!|00000000${ST}`],
  ['the status', '\x1b[5n', '\x1b[0n'],
  ['the cursor', '\x1b[3;4H\x1b[6n', '\x1b[3;4R'],
  ['the cursor behind a full row', `${'x'.repeat(20)}\x1b[6n`, '\x1b[1;20R'],
  ['the cursor, counted from the region', '\x1b[2;4r\x1b[?6h\x1b[2;3H\x1b[6n', '\x1b[2;3R'],
  ['the cursor with its page', '\x1b[?6n', '\x1b[?1;1R'],
  ['dark or light', '\x1b[?996n', '\x1b[?997;1n'],
  ['a mode that is off', '\x1b[?2004$p', '\x1b[?2004;2$y'],
  ['a mode that is on', '\x1b[?1006h\x1b[?1006$p', '\x1b[?1006;1$y'],
  ['a mode that there is not', '\x1b[?31337$p', '\x1b[?31337;0$y'],
  ['left and right margins, which it has not', '\x1b[?69h\x1b[?69$p', '\x1b[?69;0$y'],
  ['synchronized updates', '\x1b[?2026$p', '\x1b[?2026;2$y'],
  ['the alternate screen', '\x1b[?1049h\x1b[?1049$p', '\x1b[?1049;1$y'],
  ['insert mode', '\x1b[4h\x1b[4$p', '\x1b[4;1$y'],
  ['the kitty flags', '\x1b[>5u\x1b[?u', '\x1b[?5u'],
  ['the kitty flags of the other screen', '\x1b[>5u\x1b[?1049h\x1b[?u', '\x1b[?0u'],
  ['modifyOtherKeys', '\x1b[>4;2m\x1b[?4m', '\x1b[>4;2m'],
  ['XTVERSION', '\x1b[>q', `\x1bP>|nono${ST}`],
  ['its size in pixels', '\x1b[14t', '\x1b[4;96;160t'],
  ['the size of a cell', '\x1b[16t', '\x1b[6;16;8t'],
  ['its size in cells', '\x1b[18t', '\x1b[8;6;20t'],
  ['its title, which may be hostile', '\x1b]2;rm -rf\x07\x1b[21t', `\x1b]l${ST}`],
  ['the background', '\x1b]11;?\x07', `\x1b]11;rgb:0000/0000/0000${ST}`],
  ['a background that was set', '\x1b]11;#336699\x07\x1b]11;?\x07', `\x1b]11;rgb:3333/6666/9999${ST}`],
  ['a background that was set otherwise', '\x1b]11;rgb:3/66/999\x07\x1b]11;?\x07', `\x1b]11;rgb:3333/6666/9999${ST}`],
  ['a colour', '\x1b]4;1;?\x07', `\x1b]4;1;rgb:cdcd/0000/0000${ST}`],
  [
    'two colours, one of them set',
    '\x1b]4;2;#fff\x07\x1b]4;2;?;0;?\x07',
    `\x1b]4;2;rgb:ffff/ffff/ffff${ST}\x1b]4;0;rgb:0000/0000/0000${ST}`,
  ],
  ['a capability', `\x1bP+q${hex('TN')}${ST}`, `\x1bP1+r${hex('TN')}=${hex('xterm-256color')}${ST}`],
  ['a capability that it has not', `\x1bP+q${hex('zz')}${ST}`, `\x1bP0+r${hex('zz')}${ST}`],
  ['a capability named like what every object has', `\x1bP+q${hex('constructor')}${ST}`, `\x1bP0+r${hex('constructor')}${ST}`],
  ['the scroll region', `\x1b[2;4r\x1bP$qr${ST}`, `\x1bP1$r2;4r${ST}`],
  ['the cursor style', `\x1b[5 q\x1bP$q q${ST}`, `\x1bP1$r5 q${ST}`],
  ['the pen', `\x1b[1;4:3;31;48;2;1;2;3m\x1bP$qm${ST}`, `\x1bP1$r0;1;4:3;31;48;2;1;2;3m${ST}`],
  ['the default pen', `\x1bP$qm${ST}`, `\x1bP1$r0m${ST}`],
  ['a setting that it does not know', `\x1bP$qzz${ST}`, `\x1bP0$r${ST}`],
  ['the sum of what a rectangle shows', 'AB\x1b[1;1;1;1;1;2*y', `\x1bP1!~FF7D${ST}`],
  ['the clipboard, which is nobody’s business', '\x1b]52;c;?\x07', `\x1b]52;c;${ST}`],
  ['nothing, and setting the clipboard', '\x1b]52;c;aGk=\x07', ''],
];

test.for(QUESTIONS)('the model answers a question for %s', ([, asked, answer]) => {
  const model = createModel();
  model.write(Buffer.from(asked, 'latin1'));
  expect(model.answers.join('')).toBe(answer);
});

test('the model answers a question that comes in pieces once', () => {
  const model = createModel();
  for (const byte of Buffer.from('\x1b[6n\x1b]11;?\x1b\\')) model.write(Buffer.of(byte));
  expect(model.answers).toEqual(['\x1b[1;1R', `\x1b]11;rgb:0000/0000/0000${ST}`]);
});

/** Written by whoever wrote what is shown; where it is typed again a shell carries it out. U+010D is a carriage return where a unit becomes a byte. */
const PLANTED = ['date', '\u010ddate\u010d', 'date\r'];

test.for([
  ['the clipboard', (text: string) => `\x1b]52;${text};?\x07`, '\x1b]52;'],
  ['a capability', (text: string) => `\x1bP+q${text}${ST}`, `\x1bP0+r${ST}`],
  ['a colour', (text: string) => `\x1b]4;1;${text}\x07\x1b]4;1;?\x07`, `\x1b]4;1;rgb:cdcd/0000/0000${ST}`],
  ['the background', (text: string) => `\x1b]11;${text}\x07\x1b]11;?\x07`, `\x1b]11;rgb:0000/0000/0000${ST}`],
] as const)('the model types nothing of a text that asks for %s in a form of its own', ([, ask, answer]) => {
  for (const text of PLANTED) {
    const model = createModel();
    model.write(Buffer.from(ask(text)));
    const said = model.answers.join('');

    expect(said.startsWith(answer)).toBe(true);
    expect(said).not.toMatch(/date|[\r\u0100-\uffff]/);
  }
});

test('the model answers thousands of questions for colours in one sequence, and in a moment', () => {
  const model = createModel();
  // Each looked for anew they take ten seconds.
  const questions = 15_000;
  model.write(Buffer.from(`\x1b]4${';1;?'.repeat(questions)}\x07`));
  expect(model.answers).toHaveLength(questions);
  expect(new Set(model.answers)).toEqual(new Set([`\x1b]4;1;rgb:cdcd/0000/0000${ST}`]));
});
