import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { ApprovalPrompt, type PromptAct } from '../../../src/session/approval-prompt.ts';
import type { Question } from '../../../src/session/question.ts';

const READ = { read: true, write: false, connect: false, create: false, directory: false };
const SIZE = { columns: 80, rows: 24 };
/** Longer than any guard or burst. */
const LATER_MS = 5000;

function question(number: number, path = `/out/${number}`): Question {
  return {
    number,
    id: `a3f7c2-${number}`,
    access: READ,
    paths: [path as Bytes],
    pid: 7,
    program: 'cat',
    askedMs: 0,
    endMs: 300_000,
    count: 1,
  };
}

/** A prompt that takes keys, and what they did until nothing more comes of them. */
function open(...questions: readonly Question[]) {
  let nowMs = 0;
  const prompt = new ApprovalPrompt(nowMs);
  prompt.show(questions, nowMs);
  const wait = (ms: number): readonly PromptAct[] => {
    nowMs += ms;
    return prompt.expire(nowMs);
  };
  const press = (...keys: readonly string[]): readonly PromptAct[] => {
    const acts = keys.flatMap((key) => prompt.type(Buffer.from(key, 'latin1'), nowMs));
    return [...acts, ...wait(LATER_MS)];
  };
  return { prompt, wait, press, now: () => nowMs };
}

describe('ApprovalPrompt', () => {
  test.for([
    ['a', 'once'],
    ['s', 'session'],
    ['f', 'folder'],
    ['d', 'deny'],
    ['x', 'deny_session'],
    ['A', 'once'],
  ] as const)('takes %s for %s', ([key, decision]) => {
    const { press, wait } = open(question(3));
    wait(LATER_MS);

    expect(press(key)).toEqual([{ kind: 'decide', number: 3, decision }]);
  });

  test('gives the command what was typed ahead, and waits until nobody types', () => {
    const { prompt, wait, press } = open(question(1));

    expect(prompt.type(Buffer.from('a'), 0)).toEqual([{ kind: 'forward', data: Buffer.from('a') }]);
    expect(wait(599)).toEqual([]);
    expect(prompt.type(Buffer.from('d'), 599)).toEqual([{ kind: 'forward', data: Buffer.from('d') }]);
    expect(prompt.isGuarded).toBe(true);
    wait(LATER_MS);
    expect(press('d')).toEqual([{ kind: 'decide', number: 1, decision: 'deny' }]);
  });

  test('is guarded anew when the question that was shown is gone', () => {
    const { prompt, wait, now } = open(question(1), question(2));
    wait(LATER_MS);
    prompt.show([question(2)], now());

    expect(prompt.isGuarded).toBe(true);
    expect(prompt.type(Buffer.from('a'), now())).toMatchObject([{ kind: 'forward' }]);
  });

  test.for([['ad'], ['a', 'd'], ['\x1b[200~a\x1b[201~'], ['\x1b[200~', 'a'], ['yes\r']])(
    'takes no paste for an answer: %j',
    (keys) => {
      const { wait, press } = open(question(1));
      wait(LATER_MS);

      expect(press(...keys).filter(({ kind }) => kind !== 'redraw')).toEqual([]);
    },
  );

  test('takes nothing for a key between the marks of a paste, however slowly it comes', () => {
    const { wait, press } = open(question(1));
    wait(LATER_MS);
    const acts = ['\x1b[200~', 'a', 'd', '\x1b[201~'].flatMap((piece) => press(piece));

    expect(acts.some(({ kind }) => kind === 'decide')).toBe(false);
    expect(press('a')).toEqual([{ kind: 'decide', number: 1, decision: 'once' }]);
  });

  test('leaves the question with Esc, and passes on what terminals report by themselves', () => {
    const { wait, press } = open(question(1));
    wait(LATER_MS);

    expect(press('\x1b[?62;4c')).toEqual([{ kind: 'forward', data: Buffer.from('\x1b[?62;4c', 'latin1') }]);
    expect(press('\x1b')).toEqual([{ kind: 'later' }]);
  });

  test('moves between questions, and stays with the one that is shown', () => {
    const { prompt, wait, press, now } = open(question(1), question(2), question(3));
    wait(LATER_MS);
    press('\x1b[B');
    prompt.show([question(2), question(3), question(4)], now());

    expect(press('a')).toEqual([{ kind: 'decide', number: 2, decision: 'once' }]);
    press('\x1b[A');
    expect(press('d')).toEqual([{ kind: 'decide', number: 4, decision: 'deny' }]);
  });

  test.for([1, 2, 3, 24])('fits a terminal of %i rows and any columns', (rows) => {
    const { prompt } = open(question(1, `/very/long/\x1b[31m${'directory/'.repeat(20)}file`));
    for (const columns of [1, 2, 10, 40, 200]) {
      const drawn = prompt.rows({ columns, rows }, 0);
      const plain = drawn.map((row) => row.replaceAll(/\x1b\[[0-9;]*m/g, ''));

      expect(drawn.length).toBe(Math.min(3, rows));
      for (const row of plain) expect(row.length).toBeLessThanOrEqual(columns);
      expect(plain.join('')).not.toMatch(/\x1b/);
    }
    expect(prompt.rows(SIZE, 0)[1]).toContain('file');
  });
});
