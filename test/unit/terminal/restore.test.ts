import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ControlScanner } from '../../../src/terminal/control-scanner.ts';
import { ModeLedger } from '../../../src/terminal/mode-ledger.ts';
import { restoreSequence } from '../../../src/terminal/restore.ts';

function restoreAfter(...pieces: readonly string[]): string {
  const ledger = new ModeLedger();
  const scanner = new ControlScanner({
    csi(...parts) {
      ledger.csi(...parts);
      return undefined;
    },
    escape: (...parts) => ledger.escape(...parts),
    text(introducer, body) {
      if (introducer === ']') ledger.osc(body);
      return undefined;
    },
  });
  for (const piece of pieces) scanner.push(Buffer.from(piece, 'latin1'));
  return restoreSequence(ledger, 20);
}

describe('restoreSequence()', () => {
  test.for([
    { what: 'plain text', pieces: ['hello\r\n'], restored: '' },
    { what: 'the alternate screen', pieces: ['\x1b[?1049h'], restored: '\x1b[?1049l' },
    { what: 'the alternate screen that was left', pieces: ['\x1b[?1049h\x1b[?1049l'], restored: '' },
    { what: 'a hidden cursor', pieces: ['\x1b[?25l'], restored: '\x1b[?25h' },
    { what: 'several modes of one sequence', pieces: ['\x1b[?1002;1006;2004h'], restored: '\x1b[?1002l\x1b[?1006l\x1b[?2004l' },
    { what: 'modes before the screen they belong to', pieces: ['\x1b[?1049h\x1b[?25l'], restored: '\x1b[?25h\x1b[?1049l' },
    { what: 'a sequence split in two', pieces: ['\x1b[?10', '49h'], restored: '\x1b[?1049l' },
    { what: 'kitty keys that were pushed twice', pieces: ['\x1b[>1u\x1b[>5u'], restored: '\x1b[<2u' },
    { what: 'kitty keys that were popped', pieces: ['\x1b[>1u\x1b[<u'], restored: '' },
    { what: 'modifyOtherKeys', pieces: ['\x1b[>4;2m'], restored: '\x1b[>4m' },
    { what: 'an application keypad', pieces: ['\x1b='], restored: '\x1b>' },
    { what: 'a cursor style', pieces: ['\x1b[5 q'], restored: '\x1b[0 q' },
    { what: 'a pen', pieces: ['\x1b[1;31m'], restored: '\x1b[0m' },
    { what: 'a scroll region', pieces: ['\x1b[2;10r'], restored: '\x1b7\x1b[r\x1b8' },
    { what: 'what a reset has put back already', pieces: ['\x1b[?1049h\x1b[1m\x1b=\x1bc'], restored: '' },
    { what: 'insert mode', pieces: ['\x1b[4h'], restored: '\x1b[4l' },
    { what: 'an open link', pieces: ['\x1b]8;;http://a\x07'], restored: '\x1b]8;;\x1b\\' },
    { what: 'colours', pieces: ['\x1b]4;1;red\x07\x1b]11;#000\x1b\\'], restored: '\x1b]104;1\x1b\\\x1b]111\x1b\\' },
    { what: 'left and right margins', pieces: ['\x1b[?69h\x1b[5;20s'], restored: '\x1b7\x1b[?69l\x1b8' },
    { what: 'the cursor of the console of Linux', pieces: ['\x1b[?25l\x1b[?1c'], restored: '\x1b[?0c\x1b[?25h' },
    { what: 'its cursor that is as usual', pieces: ['\x1b[?1c\x1b[?0c'], restored: '' },
    { what: 'its colours', pieces: ['\x1b]P0aa', 'bbcc'], restored: '\x1b]R\x1b\\' },
    { what: 'its colours that were reset', pieces: ['\x1b]P0aabbcc\x1b]', 'R\x1b[31m'], restored: '\x1b[0m' },
    { what: 'the progress that is shown beside the screen', pieces: ['\x1b]9;4;1;50\x07'], restored: '\x1b]9;4;0\x1b\\' },
    { what: 'a progress that was taken away', pieces: ['\x1b]9;4;3\x07\x1b]9;a message\x07\x1b]9;4;0\x1b\\'], restored: '' },
    { what: 'tab stops', pieces: ['\x1b[3g'], restored: '\x1b7\x1b[3g\x1b[9G\x1bH\x1b[17G\x1bH\x1b8' },
    { what: 'a line drawing set', pieces: ['\x1b(0'], restored: '\x0f\x1b(B\x1b)B' },
    {
      what: 'kitty keys of the screen that is shown, and then the other',
      pieces: ['\x1b[>1u\x1b[?1049h\x1b[>3u'],
      restored: '\x1b[<1u\x1b[?1049l\x1b[<1u',
    },
    { what: 'keys with controls of C1', pieces: ['\x1b G'], restored: '\x1b F' },
    { what: 'those of a level of conformance', pieces: ['\x1b[62"p'], restored: '\x1b F' },
    { what: 'a level without them', pieces: ['\x1b[62;1"p\x1b G\x1b[61"p'], restored: '' },
    { what: 'letters that cannot be erased', pieces: ['\x1bV'], restored: '\x1b[0"q\x1bW' },
    { what: 'those of DEC', pieces: ['\x1b[1"q'], restored: '\x1b[0"q\x1bW' },
    { what: 'letters that could not be erased', pieces: ['\x1bVa\x1bW\x1b[1"qb\x1b[2"q'], restored: '' },
    { what: 'another encoding', pieces: ['\x1b%@'], restored: '\x1b%G' },
    { what: 'the encoding that it had', pieces: ['\x1b%@\x1b%G'], restored: '' },
    { what: 'keys as the console of Windows tells them', pieces: ['\x1b[?9001h'], restored: '\x1b[?9001l' },
    { what: 'a mode with controls in its sequence', pieces: ['\x1b[?\x0010\x7f4\r', '9h'], restored: '\x1b[?1049l' },
    { what: 'a line drawing set with a control in its sequence', pieces: ['\x1b(\x010'], restored: '\x0f\x1b(B\x1b)B' },
    { what: "modes that are the user's", pieces: ['\x1b[?3h\x1b[?40h'], restored: '' },
  ])('puts back $what', ({ pieces, restored }) => {
    expect(restoreAfter(...pieces)).toBe(restored);
  });

  test('comes to the same however the output was split', () => {
    const piece = fc.constantFrom(
      '\x1b[?1049h',
      '\x1b[?25l',
      '\x1b[?25h',
      '\x1b[1m',
      '\x1b[m',
      'text',
      '\x1b',
      '[',
      '?',
      '1049',
      'h',
      '\x1b[>1u',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (pieces, cuts) => {
        const output = pieces.join('');
        const ends = [...cuts.map((cut) => cut % (output.length + 1)), output.length].sort((a, b) => a - b);

        expect(restoreAfter(...ends.map((end, at) => output.slice(ends[at - 1] ?? 0, end)))).toBe(restoreAfter(output));
      }),
    );
  });
});
