import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { ASKED_ACCESS } from '../../src/sandbox/linux/mediation.ts';
import { ENDINGS, REQUESTS, type RequestState } from '../../src/session/approval-states.ts';
import { Approvals } from '../../src/session/approvals.ts';
import type { AuditEvent } from '../../src/session/audit-event.ts';
import { DECISIONS, type Decision } from '../../src/session/question.ts';

const TIMEOUT_MS = 60_000;
const TOLD = { asked: 1, gone: 2, done: 4 } as const;
const DIRECTORIES = ['/a', '/a/b', '/c'];

/** One thing that happens to a session; numbers count around what there is. */
export type ApprovalStep =
  | { readonly kind: 'asked'; readonly directory: number; readonly file: number; readonly isWrite: boolean }
  | { readonly kind: 'gone' | 'done'; readonly request: number; readonly errno: number }
  | { readonly kind: 'decide'; readonly question: number; readonly decision: Decision }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'end' };

export const approvalStep: fc.Arbitrary<ApprovalStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('asked' as const),
      directory: fc.nat(DIRECTORIES.length - 1),
      file: fc.nat(6),
      isWrite: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('gone' as const, 'done' as const),
      request: fc.nat(40),
      errno: fc.constantFrom(0, 13),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      question: fc.nat(12),
      decision: fc.constantFrom(...DECISIONS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(TIMEOUT_MS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
);

function told(kind: number, request: number, path = '', access = 0, errno = 0): Uint8Array {
  const bytes = Buffer.alloc(32 + path.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(kind, 4);
  bytes.writeBigUInt64LE(BigInt(request), 8);
  bytes.writeUInt32LE(access, 16);
  bytes.writeInt32LE(-errno, 24);
  bytes.write(path, 32, 'latin1');
  return bytes;
}

function same(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

/** The session beside what must be true of it: where each request is, as the table says, and by which answers. */
export class ApprovalWalk {
  readonly states = new Map<number, RequestState | 'over'>();
  readonly events: AuditEvent[] = [];
  readonly approvals: Approvals;
  /** Of the step that is going on: requests that were told yes, and no. */
  #said: { readonly request: number; readonly isAllowed: boolean }[] = [];
  #isOver = false;

  constructor() {
    this.approvals = new Approvals({
      sessionId: 'a3f7c2',
      clock: { nowMs: () => 1_000_000, monotonicMs: () => performance.now(), utcOffsetMinutes: () => 0 },
      timeoutMs: TIMEOUT_MS,
      answer: (message) => this.#hear(Buffer.from(message)),
      audit: (event) => void this.events.push(event),
      programOf: () => 'cat',
      onAsked: () => undefined,
      onChanged: () => undefined,
    });
  }

  #hear(message: Buffer): void {
    const kind = message.readUInt32LE(4);
    if (kind < 3) this.#said.push({ request: Number(message.readBigUInt64LE(8)), isAllowed: kind === 1 });
  }

  take(step: ApprovalStep): void {
    const before = { version: this.approvals.version, pending: this.#pending() };
    this.#said = [];
    const mayAllow = this.#do(step);
    for (const { request, isAllowed } of this.#said) {
      // Told once, to one that waits; a yes only where somebody said so.
      same({ request, state: this.states.get(request) }, { request, state: 'waiting' });
      same(isAllowed && !mayAllow, false);
      this.states.set(request, REQUESTS.waiting[isAllowed ? 'allow' : 'deny'] ?? 'over');
    }
    const { pending } = this.approvals;
    const waiting = [...this.states.values()].filter((state) => state === 'waiting').length;
    same(
      pending.reduce((sum, { count }) => sum + count, 0),
      waiting,
    );
    same(
      pending.every(({ count, endMs }) => count > 0 && endMs > performance.now()),
      true,
    );
    if (this.#pending() !== before.pending) same(this.approvals.version > before.version, true);
  }

  /** @returns whether somebody says yes. */
  #do(step: ApprovalStep): boolean {
    switch (step.kind) {
      case 'asked': {
        const request = this.states.size + 1;
        const path = `${DIRECTORIES[step.directory]}/f${step.file}`;
        this.states.set(request, 'waiting');
        this.approvals.take(told(TOLD.asked, request, path, step.isWrite ? ASKED_ACCESS.write : ASKED_ACCESS.read));
        if (this.#isOver) same(this.#said, [{ request, isAllowed: false }]);
        return false;
      }
      case 'gone':
      case 'done': {
        // The mediator never says `done` of what was not answered.
        const state = this.states.get(step.request);
        if (step.kind === 'done' && state === 'waiting') return false;
        this.approvals.take(told(TOLD[step.kind], step.request, '', 0, step.errno));
        const next = state === undefined || state === 'over' ? undefined : REQUESTS[state][step.kind];
        if (next !== undefined) this.states.set(step.request, next);
        return false;
      }
      case 'decide': {
        const isOpen = this.approvals.pending.some(({ number }) => number === step.question);
        const answer = { actor: { pid: 1, uid: 0 }, note: null };
        same(this.approvals.decide(step.question, step.decision, answer), isOpen);
        return isOpen && ENDINGS[step.decision].isAllowed;
      }
      case 'wait':
        vi.advanceTimersByTime(step.ms);
        return false;
      case 'end':
        this.#isOver = true;
        this.approvals.end();
        same(this.approvals.pending, []);
        return false;
    }
  }

  #pending(): string {
    return JSON.stringify(this.approvals.pending.map(({ number, count }) => [number, count]));
  }

  /** Every question has one end, and what was allowed and not opened is named once. */
  finish(): void {
    this.take({ kind: 'end' });
    const asked = this.events.flatMap((event) => (event.event === 'asked' ? [event.approval] : []));
    const answered = this.events.flatMap((event) => (event.event === 'answered' ? [event.approval] : []));
    same(
      answered.toSorted((a, b) => a - b),
      asked,
    );
    same([...this.states.values()].includes('waiting'), false);
  }
}
