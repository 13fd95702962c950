import { type Bytes, jsonPath } from '../bytes.ts';
import { parentPath } from '../paths.ts';
import type { Clock } from '../ports/clock.ts';
import type { WantedAccess } from '../sandbox/linux/ask-wire.ts';
import type { SensitivePlace } from '../sandbox/sensitive.ts';
import { formatTimestamp } from '../time.ts';

/** What somebody says to a question: for this request, for the rest of the session, for all of the folder; no, and never. */
export const DECISIONS = ['once', 'session', 'folder', 'deny', 'deny_session'] as const;
export type Decision = (typeof DECISIONS)[number];

/** Something that the command wants and the plan does not give. */
export interface Question {
  /** Counts up within the session. */
  readonly number: number;
  /** What people type: see questionId(). */
  readonly id: string;
  readonly access: WantedAccess;
  /** Absolute, as they were called when it was asked; more than one where requests were put together. */
  readonly paths: Bytes[];
  /** Of the first request. */
  readonly pid: number;
  readonly program: string | null;
  /** By the wall clock. */
  readonly askedMs: number;
  /** By the monotonic clock: then it is denied. */
  readonly endMs: number;
  /** Requests that wait. */
  count: number;
}

/**
 * The session's id and the number, and how many paths there are beside the first: `a3f7c2-4+11`. A question that grows is
 * called otherwise from then on, so that a yes is for what was shown under its word and nothing else.
 */
export function questionId(sessionId: string, number: number, pathCount: number): string {
  return `${sessionId}-${number}${pathCount > 1 ? `+${pathCount - 1}` : ''}`;
}

/** The profile that answers for good go to, and what it adds to where there is none. */
export interface OwnProfile {
  readonly file: Bytes;
  readonly name: string;
  /** What a directory that it shares must not have in it: each run with it would be refused. */
  readonly closed: readonly SensitivePlace[];
}

/** What an answer for good would write into a profile, to be shown: nothing in it does anything to a terminal. */
export interface Proposal {
  readonly file: string;
  /** There is no such profile yet. */
  readonly isNew: boolean;
  readonly lines: readonly string[];
}

/** How questions about what the plan does not give are asked. */
export interface AskingDeps {
  readonly timeoutMs: number;
  readonly programOf: (pid: number) => string | undefined;
  /** What an answer for good would write; nothing is written. @throws {NonoError} by rejecting, where nothing can be. */
  readonly propose: (question: Question) => Promise<Proposal>;
  /** Writes it, to the file that was shown. @returns what is noted with the answer. @throws {NonoError} or {SystemError} by rejecting. */
  readonly write: (question: Question, shownFile: string) => Promise<string>;
  /** A question came; `name` is the session's. */
  readonly onAsked: (question: Question, name: string) => void;
}

/** What is wanted, in a word or two. */
export function accessWord({ read, write, connect, create, directory }: WantedAccess): string {
  if (connect) return 'connect';
  if (create) return 'create';
  if (directory && !write) return 'list';
  if (read && write) return 'read and write';
  return write ? 'write' : 'read';
}

/** The folder that a word for a folder means. */
export function folderOf(path: Bytes, { directory }: Pick<WantedAccess, 'directory'>): Bytes {
  return directory ? path : parentPath(path);
}

/** As it stands in documents; see PROTOCOL.md. */
export function questionDocument(question: Question, clock: Clock): Readonly<Record<string, unknown>> {
  const { id, number, access, paths, pid, program, askedMs, endMs, count } = question;
  const leftMs = Math.max(0, endMs - clock.monotonicMs());
  const expiresMs = clock.nowMs() + leftMs;
  return {
    id,
    number,
    access: accessWord(access),
    ...jsonPath(paths[0] as Bytes),
    paths: paths.map((path) => jsonPath(path)),
    requests: count,
    pid,
    program,
    asked: formatTimestamp(askedMs, clock.utcOffsetMinutes(askedMs)),
    expires: formatTimestamp(expiresMs, clock.utcOffsetMinutes(expiresMs)),
    seconds_left: Math.round(leftMs / 1000),
  };
}
