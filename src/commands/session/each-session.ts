import type { Bytes } from '../../bytes.ts';
import { EXIT, type ExitCode, NonoError } from '../../errors.ts';
import { findSession, type Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import { openSession, openSessions } from './open-sessions.ts';

/** What came of it for one session. */
export type Outcome<T> =
  | { readonly session: Session; readonly result: T; readonly error: undefined }
  | { readonly session: Session; readonly result: undefined; readonly error: NonoError };

export interface Outcomes<T> {
  /** In the order of the IDs. */
  readonly all: readonly Outcome<T>[];
  readonly exitCode: ExitCode;
}

/** The sessions that are meant, before anything is done to one of them: a wrong ID changes nothing. @throws {NonoError} */
export async function openEach(context: Context, wanted: readonly Bytes[]): Promise<readonly Session[]> {
  const [first, ...others] = wanted;
  if (first !== undefined && others.length === 0) return [await openSession(context, first)];
  const list = await openSessions(context, { isQuiet: true });
  return wanted.map((id) => findSession(list, id));
}

/**
 * Acts on all of them at once. One that fails keeps no other from being done, and is named on stderr.
 *
 * @throws {NonoError} for a session that is the only one.
 */
export async function forEach<T>(
  context: Context,
  sessions: readonly Session[],
  act: (session: Session) => Promise<T>,
): Promise<Outcomes<T>> {
  const all = await Promise.all(
    sessions.map(async (session): Promise<Outcome<T>> => {
      try {
        return { session, result: await act(session), error: undefined };
      } catch (error) {
        if (!(error instanceof NonoError) || sessions.length === 1) throw error;
        return { session, result: undefined, error };
      }
    }),
  );
  const failures = all.flatMap(({ error }) => error ?? []);
  for (const { message, hint } of failures) context.notify(hint === undefined ? message : `${message} (${hint})`);
  const [first] = failures;
  if (first === undefined) return { all, exitCode: EXIT.ok };
  return { all, exitCode: failures.length === all.length ? first.exitCode : EXIT.partial };
}
