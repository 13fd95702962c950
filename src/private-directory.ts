import { type Bytes, displayBytes } from './bytes.ts';
import { StateError } from './errors.ts';
import { baseName } from './paths.ts';
import type { Stat } from './ports/files.ts';
import { shownWord } from './shell-word.ts';

const GROUP_AND_OTHERS = 0o077;
/** What nobody else calls a directory: the usual place, and what is made in it. */
const OWN_NAMES: readonly string[] = ['.nono', 'sessions', 'rollbacks', 'names'];

/**
 * That only `uid` can change what is in a directory of nono's own state.
 *
 * @throws {StateError} with the command that repairs it.
 */
export function checkPrivate({ kind, mode, uid: owner }: Stat, path: Bytes, uid: number): void {
  const shown = displayBytes(path);
  const word = shownWord(path);
  if (kind === 'symlink') {
    throw refusal(shown, 'it is a symbolic link', `Set NONO_HOME to where it leads, or remove the link: rm ${word}`);
  }
  if (kind !== 'directory')
    throw refusal(shown, 'it is not a directory', repair(path, `Move it away: mv ${word} ${shownWord(`${path}.old` as Bytes)}`));
  if (owner !== uid) {
    throw refusal(
      shown,
      `it belongs to the user with the number ${owner}`,
      // Root is there by sudo, mostly: that user's sessions would be out of reach.
      uid === 0
        ? 'Run it as that user, or set NONO_HOME'
        : repair(path, `Take it over: sudo chown -R ${uid} ${word}, or set NONO_HOME`),
    );
  }
  if ((mode & GROUP_AND_OTHERS) !== 0) {
    const reason = `others can use it (mode ${mode.toString(8).padStart(4, '0')})`;
    throw refusal(shown, reason, repair(path, `Close it: chmod 700 ${word}`));
  }
}

/** Whoever set NONO_HOME to /tmp by mistake must not be told how to take /tmp over. */
function repair(path: Bytes, way: string): string {
  if (OWN_NAMES.includes(baseName(path))) return way;
  return `Set NONO_HOME to a directory that is for nono alone. Only if this one is: ${way.charAt(0).toLowerCase()}${way.slice(1)}`;
}

function refusal(shown: string, reason: string, hint: string): StateError {
  return new StateError(`Cannot use the state directory "${shown}": ${reason}`, { hint });
}
