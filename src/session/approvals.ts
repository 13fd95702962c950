import { type Bytes, storeBytes } from '../bytes.ts';
import { isWithin, parentPath } from '../paths.ts';
import type { Clock } from '../ports/clock.ts';
import { encodeRule, encodeVerdict, type Refusal, type Told, ToldReader, type WantedAccess } from '../sandbox/linux/ask-wire.ts';
import { ENDINGS, REQUESTS, type RequestEvent, type RequestState } from './approval-states.ts';
import type { Actor, ApprovalVerdict, AuditEvent } from './audit-event.ts';
import { accessWord, type Decision, folderOf, type Question, questionId } from './question.ts';

/** So many files of one directory are asked about apart; those after them are one question. */
const APART_IN_DIRECTORY = 3;
/** With so many questions open, new ones join those that are of the same kind. */
const QUESTIONS_MAXIMUM = 50;
/** As many as the mediator holds requests (ASKED_MAXIMUM of asked.c): only callers that are gone make a question longer. */
const PATHS_MAXIMUM = 4096;
/** Different denials that are kept for the report; more are only counted. */
const DENIALS_MAXIMUM = 1000;
/** Paths that one line of the audit log names. */
const NAMED_PATHS_MAXIMUM = 1000;

/** Something that the command was refused. */
export interface Denial {
  readonly path: Bytes;
  readonly access: WantedAccess;
  readonly reason: Refusal | ApprovalVerdict;
  count: number;
}

export interface ApprovalsDeps {
  readonly sessionId: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** To the mediator. */
  readonly answer: (message: Uint8Array) => void;
  readonly audit: (event: AuditEvent) => void;
  /** The short name of a process; undefined when it is gone. */
  readonly programOf: (pid: number) => string | undefined;
  /** A question came: once for each. */
  readonly onAsked: (question: Question) => void;
  /** What is open has changed. */
  readonly onChanged: () => void;
}

interface OpenQuestion extends Question {
  readonly requests: Set<bigint>;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface OpenRequest {
  state: RequestState;
  readonly question: OpenQuestion;
  readonly path: Bytes;
}

type Closing = { readonly verdict: ApprovalVerdict; readonly actor: Actor | undefined; readonly note: string | null };

/**
 * The requests of one session that wait for somebody: asked, then decided once, by whoever is first. What waits is held by
 * the mediator; this only says yes or no.
 */
export class Approvals {
  readonly #deps: ApprovalsDeps;
  readonly #reader = new ToldReader();
  readonly #open = new Map<number, OpenQuestion>();
  readonly #denials = new Map<string, Denial>();
  /** Those that are not over (approval-states.ts). */
  readonly #requests = new Map<bigint, OpenRequest>();
  #lastNumber = 0;
  #version = 0;
  #waiters: (() => void)[] = [];
  #isOver = false;

  constructor(deps: ApprovalsDeps) {
    this.#deps = deps;
  }

  /** What the mediator said. */
  take(data: Uint8Array): void {
    for (const told of this.#reader.push(data)) this.#hear(told);
  }

  /** The oldest first. */
  get pending(): readonly Question[] {
    return [...this.#open.values()];
  }

  /** Counts up with each change. */
  get version(): number {
    return this.#version;
  }

  /** Settles when something has changed since `version`, or the session is over. */
  async changedSince(version: number): Promise<void> {
    if (this.#version !== version || this.#isOver) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** The most frequent first. */
  get denials(): readonly Denial[] {
    return [...this.#denials.values()].toSorted((a, b) => b.count - a.count);
  }

  /** @returns false when no such question is open: it is unknown, was answered, or its caller is gone. */
  decide(number: number, decision: Decision, { actor, note }: { readonly actor: Actor; readonly note: string | null }): boolean {
    const question = this.#open.get(number);
    if (question === undefined) return false;
    this.#remember(question, decision);
    this.#close(question, { verdict: decision, actor, note });
    const { isAllowed, holds } = ENDINGS[decision];
    if (isAllowed && holds !== 'nothing') this.#closeCovered(question, decision, actor);
    return true;
  }

  /** The session is over: nobody waits any more. */
  end(): void {
    this.#isOver = true;
    for (const question of this.#open.values()) this.#close(question, { verdict: 'ended', actor: undefined, note: null });
    this.#changed();
  }

  #hear(told: Told): void {
    switch (told.kind) {
      case 'asked':
        this.#asked(told);
        return;
      case 'gone':
        this.#gone(told.request);
        return;
      case 'refused':
        this.#denied(told.path, told.access, told.reason, told.pid);
        return;
      case 'done':
        this.#done(told);
    }
  }

  #asked({ request, pid, path, access }: Extract<Told, { kind: 'asked' }>): void {
    if (this.#isOver) {
      this.#deps.answer(encodeVerdict(request, false));
      return;
    }
    const joined = this.#similar(path, access);
    if (joined !== undefined) {
      this.#join(joined, { request, path, pid });
      return;
    }
    const number = ++this.#lastNumber;
    const { clock, timeoutMs, sessionId } = this.#deps;
    const question: OpenQuestion = {
      number,
      get id() {
        return questionId(sessionId, number, this.paths.length);
      },
      access,
      paths: [path],
      pid,
      program: this.#deps.programOf(pid) ?? null,
      askedMs: clock.nowMs(),
      endMs: clock.monotonicMs() + timeoutMs,
      count: 0,
      requests: new Set(),
      timer: setTimeout(() => this.#expire(number), timeoutMs),
    };
    this.#open.set(number, question);
    this.#add(question, request, path);
    this.#deps.audit({ event: 'asked', approval: number, access: accessWord(access), path: storeBytes(path), pid });
    this.#changed();
    this.#deps.onAsked(question);
  }

  /** Paths stay when their callers are gone: what was shown once is not taken back, so that a name for more stays a name for more. */
  #join(question: OpenQuestion, { request, path, pid }: { request: bigint; path: Bytes; pid: number }): void {
    const { paths, access } = question;
    const isNew = !paths.includes(path);
    if (isNew && paths.length >= PATHS_MAXIMUM) {
      this.#deps.answer(encodeVerdict(request, false));
      this.#denied(path, access, 'full', pid);
      return;
    }
    this.#add(question, request, path);
    if (isNew) paths.push(path);
    this.#changed();
  }

  #add(question: OpenQuestion, request: bigint, path: Bytes): void {
    question.requests.add(request);
    question.count = question.requests.size;
    this.#requests.set(request, { state: 'waiting', question, path });
  }

  /** @returns the request as it was, or undefined when that comes too late for it. */
  #step(id: bigint, event: RequestEvent): Readonly<OpenRequest> | undefined {
    const request = this.#requests.get(id);
    const next = request && REQUESTS[request.state][event];
    if (request === undefined || next === undefined) return undefined;
    if (next === 'over') this.#requests.delete(id);
    else this.#requests.set(id, { ...request, state: next });
    return request;
  }

  /** The question that one more request joins: about the same, or one of many about one directory. */
  #similar(path: Bytes, access: WantedAccess): OpenQuestion | undefined {
    const alike = [...this.#open.values()].filter((question) => accessWord(question.access) === accessWord(access));
    const same = alike.find(({ paths }) => paths.includes(path));
    if (same !== undefined) return same;
    const directory = parentPath(path);
    const near = alike.filter(({ paths }) => parentPath(paths[0] as Bytes) === directory);
    if (near.length >= APART_IN_DIRECTORY) return near.at(-1);
    return this.#open.size >= QUESTIONS_MAXIMUM ? alike.at(-1) : undefined;
  }

  #expire(number: number): void {
    const question = this.#open.get(number);
    if (question !== undefined) this.#close(question, { verdict: 'timeout', actor: undefined, note: null });
  }

  #gone(id: bigint): void {
    const request = this.#step(id, 'gone');
    if (request?.state !== 'waiting') return;
    const { question } = request;
    question.requests.delete(id);
    question.count = question.requests.size;
    if (question.requests.size === 0) this.#close(question, { verdict: 'gone', actor: undefined, note: null });
    else this.#changed();
  }

  #done({ request: id, errno }: Extract<Told, { kind: 'done' }>): void {
    const request = this.#step(id, 'done');
    if (request === undefined || errno === 0) return;
    const { question, path } = request;
    this.#deps.audit({ event: 'not_opened', approval: question.number, path: storeBytes(path), errno });
  }

  /** Holds from now on, so that the mediator does not ask again. */
  #remember({ paths, access }: OpenQuestion, decision: Decision): void {
    const { holds, isAllowed } = ENDINGS[decision];
    if (holds === 'nothing') return;
    const isTree = holds === 'folders';
    const held = isTree ? [...new Set(paths.map((path) => folderOf(path, access)))] : paths;
    for (const path of held) this.#deps.answer(encodeRule({ path, isTree, isAllowed, access }));
  }

  #close(question: OpenQuestion, { verdict, actor, note }: Closing): void {
    clearTimeout(question.timer);
    this.#open.delete(question.number);
    const { isAllowed, isDenial } = ENDINGS[verdict];
    for (const id of question.requests)
      if (this.#step(id, isAllowed ? 'allow' : 'deny') !== undefined) this.#deps.answer(encodeVerdict(id, isAllowed));
    const { pid, uid } = actor ?? { pid: null, uid: null };
    const { number: approval, count: requests } = question;
    this.#deps.audit({ event: 'answered', approval, verdict, requests, ...answeredPaths(question.paths), note, pid, uid });
    if (isDenial) for (const path of question.paths) this.#count(path, question.access, verdict);
    this.#changed();
  }

  /** Other questions that the word for a file or folder answers too. */
  #closeCovered({ paths, access }: OpenQuestion, decision: Decision, actor: Actor): void {
    const covers = (path: Bytes): boolean =>
      paths.some((held) => (ENDINGS[decision].holds === 'folders' ? isWithin(path, folderOf(held, access)) : path === held));
    for (const other of this.#open.values()) {
      const { read, write, connect } = other.access;
      const isLess = (access.read || !read) && (access.write || !write) && access.connect === connect;
      if (isLess && other.paths.every(covers)) this.#close(other, { verdict: 'session', actor, note: null });
    }
  }

  #denied(path: Bytes, access: WantedAccess, reason: Refusal, pid: number): void {
    if (this.#count(path, access, reason))
      this.#deps.audit({ event: 'denied', access: accessWord(access), path: storeBytes(path), reason, pid });
  }

  /** @returns whether it is the first of its kind. */
  #count(path: Bytes, access: WantedAccess, reason: Denial['reason']): boolean {
    const key = `${accessWord(access)} ${path}`;
    const known = this.#denials.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#denials.size < DENIALS_MAXIMUM) this.#denials.set(key, { path, access, reason, count: 1 });
    else return false;
    return known === undefined;
  }

  #changed(): void {
    this.#version += 1;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const tell of waiters) tell();
    this.#deps.onChanged();
  }
}

/** Somebody who reads the log has to find each path that a yes has opened. */
function answeredPaths(paths: readonly Bytes[]) {
  if (paths.length < 2) return {};
  const unnamed = paths.length - NAMED_PATHS_MAXIMUM;
  return {
    paths: paths.slice(0, NAMED_PATHS_MAXIMUM).map((path) => storeBytes(path)),
    ...(unnamed > 0 ? { unnamed_paths: unnamed } : {}),
  };
}
