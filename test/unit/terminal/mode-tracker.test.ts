import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModeTracker } from '../../../src/terminal/mode-tracker.ts';

function restoreAfter(...pieces: readonly string[]): string {
  const tracker = new ModeTracker();
  for (const piece of pieces) tracker.push(Buffer.from(piece, 'latin1'));
  return tracker.restore();
}

describe('ModeTracker', () => {
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
    { what: "modes that are the user's", pieces: ['\x1b[?3h\x1b[?40h\x1b[4h'], restored: '' },
  ])('puts back $what', ({ pieces, restored }) => {
    expect(restoreAfter(...pieces)).toBe(restored);
  });

  test('has nothing to put back the second time', () => {
    const tracker = new ModeTracker();
    tracker.push(Buffer.from('\x1b[?1049h'));

    expect(tracker.restore()).not.toBe('');
    expect(tracker.restore()).toBe('');
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
