import type { ApprovalVerdict } from './audit-event.ts';

/** What an answer means: for the requests that wait, for those that will come, and for what is said at the end. */
interface Ending {
  readonly isAllowed: boolean;
  /** What it holds for as long as the session lives: nothing, the paths of the question, or all of their folders. */
  readonly holds: 'nothing' | 'paths' | 'folders';
  /** Somebody, or time, has refused something that the command is told about at its end. */
  readonly isDenial: boolean;
}

/** A question is pending until one of these, whichever is first; then it is over. */
export const ENDINGS: Readonly<Record<ApprovalVerdict, Ending>> = {
  once: { isAllowed: true, holds: 'nothing', isDenial: false },
  session: { isAllowed: true, holds: 'paths', isDenial: false },
  folder: { isAllowed: true, holds: 'folders', isDenial: false },
  deny: { isAllowed: false, holds: 'nothing', isDenial: true },
  deny_session: { isAllowed: false, holds: 'paths', isDenial: true },
  timeout: { isAllowed: false, holds: 'nothing', isDenial: true },
  gone: { isAllowed: false, holds: 'nothing', isDenial: false },
  ended: { isAllowed: false, holds: 'nothing', isDenial: false },
};

/** `waiting` for somebody to say something; `opening`: it was allowed, and the mediator has not said what came of it. */
export type RequestState = 'waiting' | 'opening';
/** What somebody says, and what the mediator tells. */
export type RequestEvent = 'allow' | 'deny' | 'gone' | 'done';

/** The life of each request of a question. What no row has comes too late, and changes nothing: a yes crosses the word that its caller is dead. */
export const REQUESTS: Readonly<Record<RequestState, Partial<Record<RequestEvent, RequestState | 'over'>>>> = {
  waiting: { allow: 'opening', deny: 'over', gone: 'over' },
  opening: { done: 'over', gone: 'over' },
};
