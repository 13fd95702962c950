import type { Bytes } from '../bytes.ts';
import { joinPath } from '../paths.ts';
import { checkSessionName, makeSessionId } from '../session/names.ts';
import { unusedId } from '../session/registry.ts';
import { openStateDirectory } from '../session/state-directory.ts';
import type { Context } from './context.ts';
import type { ParsedCall } from './spec.ts';

export const SESSIONS = 'sessions' as Bytes;
/** Live sessions hold their names there. */
export const NAMES = 'names' as Bytes;
/** Tells the command which session it is in. */
export const SESSION_VARIABLE = 'NONO_SESSION_ID' as Bytes;

/** An id that no record has; a state directory that cannot be used is found out here. */
export function unusedSessionId({ files, stateDirectory, uid, randomHex }: Context): string {
  using state = openStateDirectory(files, stateDirectory, uid, { create: false });
  if (state === undefined) return makeSessionId(randomHex);
  using sessions = openStateDirectory(files, joinPath(stateDirectory, SESSIONS), uid, { create: false });
  return sessions === undefined ? makeSessionId(randomHex) : unusedId(sessions, randomHex);
}

/** Undefined where one is to be made up. @throws {UsageError} */
export function chosenName({ values }: ParsedCall): string | undefined {
  const name = values.get('name')?.[0];
  return name === undefined ? undefined : checkSessionName(name);
}
