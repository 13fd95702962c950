import { bytesFromText } from '../bytes.ts';
import { UsageError } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import type { RequestOutcome } from './hub-host.ts';
import type { LiveSession } from './live-session.ts';
import { lockName } from './name-lock.ts';
import { checkSessionName } from './names.ts';

/** Gives a live session another name, when it is one and nobody has it. */
export async function renameSession(live: LiveSession, names: Directory, wanted: string): Promise<RequestOutcome> {
  const name = checkWanted(wanted);
  if (name === undefined) return { isDone: false, code: 'refused', message: 'that is no name for a session' };
  if (name === live.name) return { isDone: true, changed: false };
  const lock = await lockName(names, name);
  // Another client may have asked for the same meanwhile.
  if (lock === undefined && name === live.name) return { isDone: true, changed: false };
  if (lock === undefined) return { isDone: false, code: 'name_taken', message: 'a live session has that name' };
  await live.rename(name, lock);
  return { isDone: true, changed: true };
}

/** What a client asks for may be anything. */
function checkWanted(wanted: string): string | undefined {
  try {
    return checkSessionName(bytesFromText(wanted));
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
