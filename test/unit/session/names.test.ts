import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { checkSessionName, isSessionId, makeSessionId, makeSessionName } from '../../../src/session/names.ts';
import { signalName } from '../../../src/signal-names.ts';

describe('session names', () => {
  test.for(['0000', 'ffff', '1234'])('made up from %s are two lower-case words', (digits) => {
    const name = makeSessionName(() => digits);

    expect(name).toMatch(/^[a-z]+-[a-z]+$/);
    expect(checkSessionName(name as Bytes)).toBe(name);
  });

  test('are more than four thousand', () => {
    const names = new Set(Array.from({ length: 65536 }, (_, at) => makeSessionName(() => at.toString(16).padStart(4, '0'))));

    expect(names.size).toBe(64 * 64);
  });

  test.for(['a', 'A.b_c-9', '0', 'x'.repeat(64)])('may be "%s"', (name) => {
    expect(checkSessionName(name as Bytes)).toBe(name);
  });

  test.for(['-a', '.a', 'a/b', 'a b', '', 'ä', 'a\n', 'x'.repeat(65), 'a3f7c2', 'latest'])('may not be "%s"', (name) => {
    expect(() => checkSessionName(name as Bytes)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });

  test('and ids are told apart', () => {
    expect(isSessionId(makeSessionId(() => 'a3f7c2'))).toBe(true);
    expect(isSessionId('A3F7C2')).toBe(false);
  });
});

describe('signalName()', () => {
  test.for([
    { signal: 1, name: 'SIGHUP' },
    { signal: 9, name: 'SIGKILL' },
    { signal: 15, name: 'SIGTERM' },
    { signal: 31, name: 'SIGSYS' },
    { signal: 40, name: 'SIG40' },
  ])('names $signal $name', ({ signal, name }) => {
    expect(signalName(signal)).toBe(name);
  });
});
