import { describe, expect, test } from 'vitest';
import { type Bytes, displayBytes } from '../../../src/bytes.ts';
import { ApprovalPrompt, type PromptAct } from '../../../src/session/approval-prompt.ts';
import { subject } from '../../../src/session/approval-rows.ts';
import type { Question } from '../../../src/session/question.ts';
import { measureBy } from '../../../src/terminal/fit.ts';
import { createModel } from '../../support/screens.ts';

const READ = { read: true, write: false, connect: false, create: false, directory: false };
const measure = measureBy(createModel());
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
  /** @param keys Behind them the time that passes, if it matters. */
  const press = (...keys: readonly (string | number)[]): readonly PromptAct[] => {
    const last = keys.at(-1);
    const typed = keys.filter((key) => typeof key === 'string');
    const acts = typed.flatMap((key) => prompt.type(Buffer.from(key, 'latin1'), nowMs));
    return [...acts, ...wait(typeof last === 'number' ? last : LATER_MS)];
  };
  /** What is shown on 80 columns, without colours; 0 rows for any number. */
  const text = (rows: number) =>
    prompt
      .rows({ columns: 80, rows: rows === 0 ? 24 : rows }, nowMs, measure)
      .join('\n')
      .replaceAll(/\x1b\[[0-9;]*m/g, '');
  return { prompt, wait, press, text, now: () => nowMs };
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
    expect(press('\x1b]11;rgb:0/0/0\x1b\\')).toMatchObject([{ kind: 'forward' }]);
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

  test('keeps keys that answer nothing to itself, and says so', () => {
    const { wait, press, text } = open(question(1));
    wait(LATER_MS);

    for (const key of ['q', '\r', '\x03', '\x1a', '\x1ba', '\x1bOP', '\x1b[5~'])
      expect([key, ...press(key).filter(({ kind }) => kind !== 'redraw')]).toEqual([key]);
    press('q', 0);
    expect(text(0)).toContain('Esc puts it off');
  });

  test('takes a yes only for what has been there to be read; a no at any time', () => {
    const grown = { ...question(1), paths: ['/out/1', '/out/2'] as Bytes[] };
    const { prompt, wait, press, now } = open(question(1));
    wait(LATER_MS);
    for (const key of ['a', 's', 'f', 'w']) {
      const more = { ...grown, paths: [...grown.paths, `/out/${key}` as Bytes] };
      prompt.show([more], now());
      expect([key, ...press(key, 100)]).toEqual([key, { kind: 'redraw' }]);
      expect(press(key, 100)).toMatchObject([{ kind: key === 'w' ? 'propose' : 'decide', number: 1 }]);
      prompt.show([grown], now());
    }
    prompt.show([{ ...grown, paths: [...grown.paths, '/out/n' as Bytes] }], now());
    expect(press('d', 100)).toEqual([{ kind: 'decide', number: 1, decision: 'deny' }]);
  });

  describe('an answer for good', () => {
    const PROPOSAL = { file: '/home/u/default.toml', isNew: false, lines: ['[filesystem]', 'read_file = ["/out/1"]'] };

    test('is shown first, and written after a second yes', () => {
      const { prompt, wait, press, now, text } = open(question(1), question(2));
      wait(LATER_MS);
      expect(press('w')).toEqual([{ kind: 'propose', number: 1 }]);
      prompt.propose(1, PROPOSAL, now());
      expect(text(24)).toContain('add to /home/u/default.toml?');
      expect(text(24)).toContain('[filesystem]\nread_file = ["/out/1"]\ny write this');
      expect(press('y', 100)).toEqual([]);
      expect(press('a')).not.toContainEqual(expect.objectContaining({ kind: 'decide' }));
      expect(press('y')).toContainEqual({ kind: 'always', number: 1, file: PROPOSAL.file });
      expect(press('y')).toEqual([]);
      prompt.failed('the disk is full', now());
      expect(text(24)).toContain('the disk is full');
      expect(press('d')).toEqual([{ kind: 'decide', number: 1, decision: 'deny' }]);
    });

    test.for(['\x1b', 'n', 'N'])('is left with %j, and the question stays', (key) => {
      const { prompt, wait, press, now } = open(question(1));
      wait(LATER_MS);
      press('w');
      prompt.propose(1, PROPOSAL, now());
      expect(new Set(press(key).map(({ kind }) => kind))).toEqual(new Set(['redraw']));
      expect(press('a')).toEqual([{ kind: 'decide', number: 1, decision: 'once' }]);
    });

    test('is not one for another question that took the place of the first', () => {
      const { prompt, wait, press, now, text } = open(question(1), question(2));
      wait(LATER_MS);
      press('w');
      prompt.show([question(2)], now());
      prompt.propose(1, PROPOSAL, now());
      expect(text(24)).not.toContain('add to');
      wait(LATER_MS);
      press('w');
      prompt.propose(2, PROPOSAL, now());
      prompt.show([question(3)], now());
      wait(LATER_MS);
      expect(text(24)).not.toContain('add to');
      expect(press('y')).toEqual([{ kind: 'redraw' }]);
    });
  });

  test('lists several questions where there is room, and says which one it is about', () => {
    const { wait, press, text } = open(...[1, 2, 3, 4, 5, 6, 7].map((number) => question(number)));
    wait(LATER_MS);
    expect(text(24).split('\n').slice(1, 6)).toEqual(['> read /out/1', ...[2, 3, 4, 5].map((number) => `  read /out/${number}`)]);
    for (let count = 0; count < 6; count++) press('j');
    expect(text(24)).toContain('7 of 7');
    expect(text(24)).toContain('> read /out/7');
    expect(text(5).split('\n')).toHaveLength(3);
    expect(text(5)).toContain('/out/7');
  });

  test('shows what many have in common, and all of them where somebody wants to see', () => {
    const many = { ...question(1), paths: Array.from({ length: 40 }, (_, at) => `/out/file ${at}` as Bytes), count: 40 };
    const { wait, press, text } = open(many);
    wait(LATER_MS);
    expect(text(24)).toMatch(/\n40 in \/out: file 0, file 1, /);
    press('v');
    expect(text(24).split('\n')).toHaveLength(24);
    expect(text(24)).toContain('/out/file 20\nand more: see');
    const mixed = { ...many, paths: ['/a/x', '/b/y'] as Bytes[] };
    expect(subject(mixed)).toBe('2 paths: /a/x, /b/y');
  });

  test.for([
    { what: 'the folder of a file', one: question(1, '/out/data/1'), title: / f: \/out\/data $/ },
    {
      what: 'a folder that is asked about',
      one: { ...question(1, '/out/data'), access: { ...READ, directory: true } },
      title: / f: \/out\/data $/,
    },
    { what: 'how many they are', one: { ...question(1), paths: ['/a/x', '/b/y'] as Bytes[] }, title: / f: 2 folders $/ },
    { what: 'nothing without room', one: question(1, `/out/${'long/'.repeat(30)}1`), title: /^(?!.* f: )/ },
    { what: 'nothing for a socket', one: { ...question(1, '/out/s'), access: { ...READ, connect: true } }, title: /^(?!.* f: )/ },
  ])('names $what beside the question', ({ one, title }) => {
    const { wait, text } = open(one);
    wait(LATER_MS);
    expect(text(24).split('\n')[0]).toMatch(title);
  });

  test('cuts a path in its middle, so that its beginning and its end are to be read', () => {
    const { text, press, wait } = open(question(1, `/home/user/${'directory/'.repeat(20)}final-file-name.txt`));
    wait(LATER_MS);
    expect(text(24).split('\n')[1]).toMatch(/^\/home\/user\/.*….*\/final-file-name\.txt$/);
    press('v');
    expect(text(24).replaceAll('\n', '')).toContain(`/home/user/${'directory/'.repeat(20)}final-file-name.txt`);
  });

  test.for([1, 2, 3, 5, 24])('fits a terminal of %i rows and any columns, whatever the path is', (rows) => {
    const name = (text: string) => `/out/${Buffer.from(text, 'utf8').toString('latin1')}`;
    const paths = [
      `/very/long/\x1b[31m${'directory/'.repeat(20)}file`,
      name('目录/很长的文件名'.repeat(12)),
      name('👩‍👩‍👧‍👦🇩🇪❤️👍🏽'.repeat(20)),
      name('e\u0301\u0327'.repeat(90)),
      name('\u202egnp.\u2066exe\u200f'.repeat(9)),
      'bytes\xff\xfe'.repeat(30),
    ];
    for (const path of paths) {
      const { prompt, wait, press, now } = open(question(1, path), question(2, path));
      wait(LATER_MS);
      for (const columns of [1, 2, 10, 20, 40, 79, 80, 200]) {
        for (const key of ['v', 'v', 'w']) {
          press(key);
          if (key === 'w')
            prompt.propose(1, { file: path, isNew: true, lines: [`read_file = ["${displayBytes(path as Bytes)}"]`] }, now());
          const drawn = prompt.rows({ columns, rows }, now(), measure);
          expect(drawn.length).toBeLessThanOrEqual(rows);
          for (const row of drawn) {
            const plain = row.replaceAll(/\x1b\[[0-9;]*m/g, '');
            expect(plain).not.toMatch(/[\x00-\x1f\u202a-\u202e\u2066-\u2069]/);
            expect([columns, columnsOf(plain)]).toEqual([columns, Math.min(columns, columnsOf(plain))]);
          }
        }
        press('n');
      }
    }
  });
});

const ruler = createModel({ columns: 1000, rows: 1 });

/** As a terminal of the model's kind counts them. */
function columnsOf(text: string): number {
  ruler.write(Buffer.from(`\r${text}`, 'utf8'));
  return ruler.buffers.active.x;
}
