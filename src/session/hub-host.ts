import type { TerminalSize } from '../ports/pty.ts';
import type { Shortcut } from '../ports/shortcut.ts';
import type { Connection } from '../ports/socket.ts';
import type { Actor, AuditEvent } from './audit-event.ts';
import type { ControlRequest } from './control-requests.ts';
import type { RefusalCode } from './messages.ts';
import type { Decision, Proposal, Question } from './question.ts';

/** What a request did: the answer, or why not. */
export type RequestOutcome =
  | {
      readonly isDone: true;
      readonly changed: boolean;
      /** The number of the snapshot that was taken. */
      readonly snapshot?: number;
      /** What was asked for; sent before the answer. */
      readonly content?: Uint8Array;
      /** The client wants what is written from now on. */
      readonly follows?: boolean;
    }
  | { readonly isDone: false; readonly code: RefusalCode; readonly message: string };

/** The session behind the clients. */
export interface HubHost {
  readonly sessionId: string;
  /** Without one nobody can attach. */
  readonly hasTerminal: boolean;
  readonly name: () => string;
  readonly status: () => string;
  readonly type: (data: Uint8Array) => void;
  readonly resize: (size: TerminalSize) => void;
  /** False before the command was started. */
  readonly hasBegun: () => boolean;
  /** See Pty. */
  readonly join?: (connection: Connection, onIdle: () => void) => Shortcut | undefined;
  /** Gives to output() what the command has written by now. */
  readonly drain?: () => void;
  readonly request: (request: ControlRequest, actor: Actor) => RequestOutcome | Promise<RequestOutcome>;
  readonly audit: (event: AuditEvent) => void;
  readonly attachmentChanged: (isAttached: boolean) => void;
  /** What waits for an answer, the oldest first. */
  readonly questions: () => readonly Question[];
  readonly decide: (number: number, decision: Decision, actor: Actor) => void;
  /** What an answer for good would write; undefined when the question is gone. @throws {NonoError} by rejecting. */
  readonly propose: (number: number) => Promise<Proposal | undefined>;
  /** Writes it to the file that was shown, and allows for the session. @throws {NonoError} or {SystemError} by rejecting: nothing was answered then. */
  readonly decideForGood: (number: number, shownFile: string, actor: Actor) => Promise<void>;
  /** Milliseconds from an arbitrary start. */
  readonly nowMs: () => number;
}
