import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { ASKED_ACCESS } from '../../../src/sandbox/linux/mediation.ts';
import { answerAbout } from '../../../src/session/approval-requests.ts';
import { Approvals } from '../../../src/session/approvals.ts';
import type { AuditEvent } from '../../../src/session/audit-event.ts';
import type { Question } from '../../../src/session/question.ts';

const TIMEOUT_MS = 300_000;
const ACTOR = { actor: { pid: 5, uid: 0 }, note: null };

interface ToldFields {
  readonly path?: string;
  readonly access?: number;
  readonly result?: number;
}

/** As the mediator tells it. */
function told(kind: number, request: number, { path = '', access = ASKED_ACCESS.read, result = 0 }: ToldFields = {}): Uint8Array {
  const bytes = Buffer.alloc(32 + path.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(kind, 4);
  bytes.writeBigUInt64LE(BigInt(request), 8);
  bytes.writeUInt32LE(access, 16);
  bytes.writeUInt32LE(77, 20);
  bytes.writeInt32LE(result, 24);
  bytes.write(path, 32, 'latin1');
  return bytes;
}

/** Answers by the number of the request; rules by their path, `!` before one that denies, `/…` after a tree. */
function heard(messages: readonly Uint8Array[]): readonly string[] {
  return messages.map((message) => {
    const bytes = Buffer.from(message);
    const kind = bytes.readUInt32LE(4);
    if (kind < 3) return `${kind === 1 ? 'yes' : 'no'} ${bytes.readBigUInt64LE(8)}`;
    const access = bytes.readUInt32LE(16);
    return `${access & ASKED_ACCESS.forbidden ? '!' : ''}${bytes.subarray(32).toString('latin1')}${access & ASKED_ACCESS.tree ? '/…' : ''}`;
  });
}

describe('Approvals', () => {
  let answers: Uint8Array[];
  let events: AuditEvent[];
  let asked: Question[];
  let wallMs: number;
  let approvals: Approvals;
  const clock = { nowMs: () => wallMs, monotonicMs: () => performance.now(), utcOffsetMinutes: () => 0 };
  beforeEach(() => {
    vi.useFakeTimers();
    [answers, events, asked, wallMs] = [[], [], [], 1_000_000];
    approvals = new Approvals({
      sessionId: 'a3f7c2',
      clock,
      timeoutMs: TIMEOUT_MS,
      answer: (message) => void answers.push(message),
      audit: (event) => void events.push(event),
      programOf: () => 'cat',
      onAsked: (question) => void asked.push(question),
      onChanged: () => undefined,
    });
  });
  afterEach(() => void vi.useRealTimers());

  const ask = (request: number, path: string, access: number = ASKED_ACCESS.read) =>
    approvals.take(told(1, request, { path, access }));
  const numbers = () => approvals.pending.map(({ number }) => number);

  test('asks once about a path, and answers all of its requests', () => {
    for (const request of [1, 2, 3]) ask(request, '/out/f');

    expect(asked).toHaveLength(1);
    expect(approvals.pending).toMatchObject([{ id: 'a3f7c2-1', count: 3, paths: ['/out/f'], program: 'cat' }]);
    expect(approvals.decide(1, 'once', ACTOR)).toBe(true);
    expect(heard(answers)).toEqual(['yes 1', 'yes 2', 'yes 3']);
    expect(approvals.decide(1, 'deny', ACTOR)).toBe(false);
    expect(heard(answers)).toHaveLength(3);
  });

  test('holds no more paths for one question than requests wait at once, whoever dies and another asks', () => {
    const kept = 4096;
    // The third stays, so that its question does.
    for (let request = 1; request < 3 + kept; request++) {
      ask(request, `/out/${request}`);
      if (request > 3) approvals.take(told(2, request));
    }
    ask(9999, '/out/one-more');
    ask(10_000, '/out/4');
    const question = approvals.pending.find(({ number }) => number === 3);

    expect(question).toMatchObject({ count: 2, paths: { length: kept } });
    expect(heard(answers)).toEqual(['no 9999']);
    expect(approvals.denials).toMatchObject([{ path: '/out/one-more', reason: 'full' }]);
  });

  test('puts a thousand files of a directory together, and those of a thousand directories', () => {
    for (let request = 1; request <= 1000; request++) ask(request, `/out/${request}`);
    expect(approvals.pending.map(({ count }) => count)).toEqual([1, 1, 998]);
    for (const number of numbers()) approvals.decide(number, 'deny', ACTOR);
    expect(new Set(heard(answers)).size).toBe(1000);
    // The log names each path that was answered.
    const named = events.flatMap((event) =>
      event.event === 'asked' ? [event.path] : event.event === 'answered' ? (event.paths ?? []) : [],
    );
    expect(new Set(named).size).toBe(1000);

    for (let request = 2001; request <= 3000; request++) ask(request, `/out/${request}/f`);
    expect(approvals.pending).toHaveLength(50);
    expect(approvals.pending.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  });

  test('is called otherwise with each path that joins, and takes a yes under the word that was shown for those', async () => {
    for (let request = 1; request <= 4; request++) ask(request, `/out/${request}`);
    const allow = (paths: number) =>
      answerAbout(approvals, { verb: 'decide', number: 3, decision: 'once', note: null, paths }, { actor: ACTOR.actor, clock });
    const ids = () => approvals.pending.map(({ id }) => id);
    expect(ids()).toEqual(['a3f7c2-1', 'a3f7c2-2', 'a3f7c2-3+1']);
    ask(5, '/out/5');
    ask(6, '/out/5');

    expect(await allow(2)).toMatchObject({ isDone: false, code: 'refused', message: expect.stringMatching(/a3f7c2-3\+2$/) });
    expect(heard(answers)).toEqual([]);
    expect(ids()).toEqual(['a3f7c2-1', 'a3f7c2-2', 'a3f7c2-3+2']);
    expect(await allow(3)).toEqual({ isDone: true, changed: true });
    expect(heard(answers)).toEqual(['yes 3', 'yes 4', 'yes 5', 'yes 6']);
    expect(await allow(3)).toEqual({ isDone: true, changed: false });
  });

  test('takes a no to what has become more', async () => {
    for (let request = 1; request <= 4; request++) ask(request, `/out/${request}`);
    const denial = { verb: 'decide', number: 3, decision: 'deny', note: null, paths: 1 } as const;

    expect(await answerAbout(approvals, denial, { actor: ACTOR.actor, clock })).toEqual({ isDone: true, changed: true });
    expect(heard(answers)).toEqual(['no 3', 'no 4']);
  });

  test.for([
    ['session', ['/out/f', 'yes 1']],
    ['folder', ['/out/…', 'yes 1']],
    ['deny_session', ['!/out/f', 'no 1']],
    ['deny', ['no 1']],
  ] as const)('says the rule before the answer: %s', ([decision, expected]) => {
    ask(1, '/out/f');
    approvals.decide(1, decision, ACTOR);

    expect(heard(answers)).toEqual(expected);
  });

  test('answers what a folder covers, and not what wants more', () => {
    ask(1, '/out/f');
    ask(2, '/out/sub/g');
    ask(3, '/out/h', ASKED_ACCESS.write);
    ask(4, '/elsewhere');
    approvals.decide(1, 'folder', ACTOR);

    expect(heard(answers)).toEqual(['/out/…', 'yes 1', 'yes 2']);
    expect(numbers()).toEqual([3, 4]);
  });

  test('denies when the time is up, however the wall clock jumps', () => {
    ask(1, '/out/f');
    wallMs -= 86_400_000;
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(numbers()).toEqual([1]);
    wallMs += 10 * 86_400_000;
    vi.advanceTimersByTime(1);

    expect(heard(answers)).toEqual(['no 1']);
    expect(events.at(-1)).toMatchObject({ event: 'answered', verdict: 'timeout', pid: null });
    expect(approvals.denials).toMatchObject([{ path: '/out/f', reason: 'timeout', count: 1 }]);
  });

  test('forgets a question with its last caller', () => {
    ask(1, '/out/f');
    ask(2, '/out/f');
    approvals.take(told(2, 1));
    expect(approvals.pending).toMatchObject([{ count: 1 }]);
    approvals.take(told(2, 2));

    expect(numbers()).toEqual([]);
    expect(events.at(-1)).toMatchObject({ verdict: 'gone' });
    expect(approvals.denials).toEqual([]);
  });

  test('takes what the mediator tells in pieces of any length', () => {
    const bytes = Buffer.concat([told(1, 1, { path: '/out/f' }), told(1, 2, { path: '/out/g' }), told(2, 1)]);
    for (const byte of bytes) approvals.take(Uint8Array.of(byte));

    expect(approvals.pending).toMatchObject([{ paths: ['/out/g' as Bytes] }]);
  });

  test('writes down who answered, what was refused without a question, and what failed to open', () => {
    ask(1, '/out/f');
    approvals.decide(1, 'once', { actor: { pid: 9, uid: 1000 }, note: 'mine' });
    approvals.take(told(4, 1, { result: -40 }));
    for (let time = 0; time < 3; time++) approvals.take(told(3, 0, { path: '/home/me/.ssh/id', result: 1 }));

    expect(events).toEqual([
      { event: 'asked', approval: 1, access: 'read', path: '/out/f', pid: 77 },
      { event: 'answered', approval: 1, verdict: 'once', requests: 1, note: 'mine', pid: 9, uid: 1000 },
      { event: 'not_opened', approval: 1, path: '/out/f', errno: 40 },
      { event: 'denied', access: 'read', path: '/home/me/.ssh/id', reason: 'sensitive', pid: 77 },
    ]);
    expect(approvals.denials).toMatchObject([{ reason: 'sensitive', count: 3 }]);
  });

  test('lets nobody wait when the session is over', async () => {
    ask(1, '/out/f');
    const { version } = approvals;
    const waiting = approvals.changedSince(version);
    approvals.end();
    ask(2, '/out/g');

    await waiting;
    expect(heard(answers)).toEqual(['no 1', 'no 2']);
    await approvals.changedSince(approvals.version);
  });
});
