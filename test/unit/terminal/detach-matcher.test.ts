import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseKeySequence } from '../../../src/config/key-sequence.ts';
import { DetachMatcher } from '../../../src/terminal/detach-matcher.ts';

const DEFAULT = parseKeySequence('ctrl-] d') ?? [];

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const shown = (data: Uint8Array): string => Buffer.from(data).toString('latin1');

/** Types the reads one after the other, at one moment. */
function type(reads: readonly string[], keys: readonly string[] = DEFAULT) {
  const matcher = new DetachMatcher(keys);
  let forwarded = '';
  for (const read of reads) {
    const { forward, isDetach } = matcher.push(bytes(read), 0);
    forwarded += shown(forward);
    if (isDetach) return { forwarded, isDetach, held: '' };
  }
  return { forwarded, isDetach: false, held: shown(matcher.flush()) };
}

describe('DetachMatcher', () => {
  test.for([
    { way: 'in one read', reads: ['\x1dd'] },
    { way: 'split over reads', reads: ['\x1d', 'd'] },
    { way: "in kitty's encoding", reads: ['\x1b[93;5u', 'd'] },
    { way: "in kitty's encoding, split in a sequence", reads: ['\x1b[9', '3;5', 'ud'] },
    { way: "in kitty's encoding with releases", reads: ['\x1b[93;5:1u', '\x1b[93;5:3u\x1b[100;1:1u'] },
    { way: "in kitty's encoding with num lock and alternates", reads: ['\x1b[93:125;133u', '\x1b[100;129;100u'] },
    {
      way: 'as the console of Windows tells keys',
      reads: ['\x1b[221;27;29;1;8;1_\x1b[221;27;29;0;8;1_', '\x1b[17;29;0;0;0;1_\x1b[68;32;100;1', ';0;1_'],
    },
    { way: 'while the mouse moves', reads: ['\x1d', '\x1b[<35;10;10M\x1b[<35;1', '1;10M', '\x1b[O\x1b[I', '\x1b[<0;11;10md'] },
    { way: "in xterm's modifyOtherKeys", reads: ['\x1b[27;5;93~', 'd'] },
    { way: "in xterm's modifyOtherKeys, each byte alone", reads: Array.from('\x1b[27;5;93~d') },
    { way: 'after the same key', reads: ['\x1d\x1dd'] },
  ])('finds the sequence $way', ({ reads }) => {
    expect(type(reads).isDetach).toBe(true);
  });

  test('forwards what was typed before, and the first of two keys that begin it', () => {
    expect(type(['ls\r\x1d', '\x1d', 'd'])).toEqual({ forwarded: 'ls\r\x1d', isDetach: true, held: '' });
  });

  test.for([
    { what: 'another second key', reads: ['\x1d', 'x'], forwarded: '\x1dx' },
    { what: 'the second key alone', reads: ['d'], forwarded: 'd' },
    { what: 'an arrow after the first key', reads: ['\x1d', '\x1b[A'], forwarded: '\x1d\x1b[A' },
    { what: 'kitty encodings of other keys', reads: ['\x1b[93;6:3u', '\x1b[97;5u'], forwarded: '\x1b[93;6:3u\x1b[97;5u' },
    { what: 'the key with alt', reads: ['\x1b[93;7u', 'd'], forwarded: '\x1b[93;7ud' },
    { what: 'the report of a mouse', reads: ['\x1b[<0;10;10M'], forwarded: '\x1b[<0;10;10M' },
    { what: 'a mouse that moves behind the first key', reads: ['\x1d', '\x1b[<35;1;1M', 'x'], forwarded: '\x1d\x1b[<35;1;1Mx' },
    {
      what: 'other keys as the console of Windows tells them',
      reads: ['\x1b[17;29;0;1;8;1_', '\x1b[221;27;29;1;8;1_', '\x1b[65;30;97;1;0;1_'],
      forwarded: '\x1b[17;29;0;1;8;1_\x1b[221;27;29;1;8;1_\x1b[65;30;97;1;0;1_',
    },
    { what: 'the answer to a question', reads: ['\x1b[?62;c', '\x1b[12;40R'], forwarded: '\x1b[?62;c\x1b[12;40R' },
  ])('forwards $what unchanged', ({ reads, forwarded }) => {
    expect(type(reads)).toEqual({ forwarded, isDetach: false, held: '' });
  });

  test('keeps nothing back for longer because the mouse moves', () => {
    const matcher = new DetachMatcher(DEFAULT);
    matcher.push(bytes('\x1d'), 0);
    const deadlineMs = matcher.deadlineMs() ?? 0;
    matcher.push(bytes('\x1b[<35;1;1M'), deadlineMs - 1);
    expect(matcher.deadlineMs()).toBe(deadlineMs);

    expect(shown(matcher.push(bytes('\x1b[<35;1;2M'), deadlineMs).forward)).toBe('\x1d\x1b[<35;1;1M\x1b[<35;1;2M');
  });

  test('knows every way to write a key', () => {
    const keys = parseKeySequence('esc tab space enter ctrl-b D é') ?? [];

    expect(type(['\x1b', '\t', ' ', '\r', '\x02', 'D', 'Ã©'], keys).isDetach).toBe(true);
    expect(type(['\x1b[27u', '\x1b[9u', '\x1b[32u', '\x1b[13u', '\x1b[98;5u', '\x1b[100;2u', '\x1b[233u'], keys).isDetach).toBe(
      true,
    );
  });

  test('gives what was begun to the command after half a second', () => {
    const matcher = new DetachMatcher(DEFAULT);
    matcher.push(bytes('\x1d'), 1000);

    expect(matcher.deadlineMs()).toBe(1500);
    expect(shown(matcher.expire(1499))).toBe('');
    expect(shown(matcher.expire(1500))).toBe('\x1d');
    expect(matcher.deadlineMs()).toBeUndefined();
    expect(matcher.push(bytes('d'), 1501)).toEqual({ forward: Buffer.from('d'), isDetach: false });
  });

  test('gives an escape to the command after 50 ms', () => {
    const matcher = new DetachMatcher(DEFAULT);
    matcher.push(bytes('\x1b'), 1000);

    expect(matcher.deadlineMs()).toBe(1050);
    expect(shown(matcher.expire(1050))).toBe('\x1b');
  });

  test('waits as long for the second key when the first came as an escape sequence', () => {
    const matcher = new DetachMatcher(DEFAULT);
    matcher.push(bytes('\x1b[93;5u'), 1000);

    expect(matcher.deadlineMs()).toBe(1500);
    expect(matcher.push(bytes('d'), 1400).isDetach).toBe(true);
  });

  test('waits only 50 ms for what follows an escape key', () => {
    const matcher = new DetachMatcher(['esc', 'd']);
    matcher.push(bytes('\x1b'), 1000);

    expect(matcher.deadlineMs()).toBe(1050);
  });

  test('gives up by itself when nobody called in time', () => {
    const matcher = new DetachMatcher(DEFAULT);
    matcher.push(bytes('\x1d'), 0);

    expect(matcher.push(bytes('d'), 600)).toEqual({ forward: Buffer.from('\x1dd'), isDetach: false });
  });

  test('loses, adds and reorders nothing that is not the sequence, however it was split', () => {
    const piece = fc.constantFrom(
      '\x1d',
      'd',
      '\x1b',
      '[',
      '93;5u',
      '27;5;93~',
      '\x1b[93;5u',
      'a',
      'Ã©',
      '\x1b[A',
      '\x1bOP',
      '\r',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (pieces, cuts) => {
        const typed = pieces.join('');
        const ends = [...cuts.map((cut) => cut % (typed.length + 1)), typed.length].sort((a, b) => a - b);
        const reads = ends.map((end, at) => typed.slice(ends[at - 1] ?? 0, end));
        const { forwarded, isDetach, held } = type(reads);

        if (isDetach) expect(typed.startsWith(forwarded)).toBe(true);
        else expect(forwarded + held).toBe(typed);
        expect(type([typed]).isDetach).toBe(isDetach);
      }),
    );
  });
});
