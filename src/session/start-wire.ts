import type { Bytes } from '../bytes.ts';
import { causesOf, describeBug, type ErrorCode, EXIT, type ExitCode, explainMachine, NonoError } from '../errors.ts';
import type { TerminalSize } from '../ports/pty.ts';
import type { CaptureLimits } from '../rollback/capture-input.ts';
import type { RetentionLimits } from '../rollback/retention.ts';
import type { Exclusions } from '../rollback/rules.ts';
import type { Launch } from '../sandbox/launch.ts';
import type { SessionIdentity } from './record.ts';

/** Everything that a supervisor is told: it asks nobody and decides nothing about the sandbox. One line of JSON. */
export interface SessionStart {
  readonly identity: Omit<SessionIdentity, 'name'>;
  readonly chosenName: string | null;
  readonly stateDirectory: Bytes;
  /** Made and removed by the supervisor. */
  readonly temporaryDirectory: Bytes;
  readonly launch: Launch;
  /** Null without a rollback session. */
  readonly rollback: RollbackWish | null;
  readonly homeDirectory: Bytes;
  /** Writable files whose directories are closed (loneFiles()). */
  readonly loneFiles: readonly Bytes[];
  readonly uid: number;
  readonly size: TerminalSize;
  /** Lines above the screen that are kept. */
  readonly scrollbackLines: number;
  /** Settings that the command's terminal takes on, as the platform has them; null for those of a new one. */
  readonly terminal: Bytes | null;
  /** The command is started only when a client is attached, so that this one sees all of its output. */
  readonly waitsForClient: boolean;
  /** Null where nobody is asked. */
  readonly asking: AskingWish | null;
}

export interface AskingWish {
  readonly timeoutMs: number;
  /** Run with each question, with this environment; null for none. */
  readonly hook: { readonly command: string; readonly environment: Readonly<Record<string, string>> } | null;
  /** Where the user's own profiles are. */
  readonly profilesDirectory: Bytes;
}

export interface RollbackWish {
  /** What is tracked. */
  readonly writableGrants: readonly Bytes[];
  readonly exclusions: Exclusions;
  readonly limits: CaptureLimits;
  readonly retention: RetentionLimits;
  /** Whether whoever is attached at the end is asked to review what has changed. */
  readonly prompts: boolean;
  /** Null for checkpoints only when somebody asks for one. */
  readonly checkpointEveryMs: number | null;
  /** The command waits for the disk, however long. */
  readonly isDurable: boolean;
}

/**
 * What a supervisor tells its starter, one line each; the last is `ready` or `failed`. `listening` comes where the
 * session waits for a client: there is nothing left to do but to start the command.
 */
export type StartReport =
  | { readonly kind: 'listening'; readonly id: string; readonly name: string }
  | { readonly kind: 'progress'; readonly line: string }
  /** A line that is drawn anew with each of these and goes with null. */
  | { readonly kind: 'status'; readonly text: string | null }
  | { readonly kind: 'ready'; readonly id: string; readonly name: string }
  | { readonly kind: 'failed'; readonly error: StartFailure };

export interface StartFailure {
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly hint: string | null;
  readonly causes: readonly string[];
}

export function describeStartFailure(thrown: unknown): StartFailure {
  const error = explainMachine(thrown);
  const causes = causesOf(error);
  if (error instanceof NonoError) {
    const { code, exitCode, message, hint } = error;
    return { code, exitCode, message, hint: hint ?? null, causes };
  }
  return { code: 'E_SUPERVISOR', exitCode: EXIT.nonoFailed, message: describeBug(error), hint: null, causes };
}

/** The supervisor's failure as the starter's own. */
export function startError({ code, exitCode, message, hint, causes }: StartFailure): NonoError {
  const cause = causes.toReversed().reduce<Error | undefined>((inner, text) => new Error(text, { cause: inner }), undefined);
  return new NonoError(code, exitCode, message, { hint: hint ?? undefined, cause });
}
