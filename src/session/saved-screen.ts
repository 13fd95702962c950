import type { Bytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import { removeUnlessMissing } from './remove-file.ts';

const FILE_MODE = 0o600;

export function screenName(id: string): Bytes {
  return `${id}.screen.json` as Bytes;
}

/** Keeps the last screen of a session. A disk that takes nothing leaves none: the log tells what was on it. */
export function saveScreen(sessions: Directory, id: string, document: Uint8Array): void {
  const temporary = `${screenName(id)}.new` as Bytes;
  try {
    removeUnlessMissing(sessions, temporary);
    replaceBy(sessions, temporary, { id, document });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

function replaceBy(
  sessions: Directory,
  temporary: Bytes,
  { id, document }: { readonly id: string; readonly document: Uint8Array },
): void {
  try {
    using file = sessions.createFile(temporary, FILE_MODE);
    file.write(document);
    sessions.rename(temporary, sessions, screenName(id));
  } catch (error) {
    // A part of it is of no use, and takes room on a disk that has none.
    removeUnlessMissing(sessions, temporary);
    throw error;
  }
}
