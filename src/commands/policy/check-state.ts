import { type Bytes, bytesFromText, displayBytes } from '../../bytes.ts';
import { mayBeThere } from '../../config/config-path.ts';
import { explainMachine, isErrno, StateError, SystemError } from '../../errors.ts';
import { joinPath, parentPath } from '../../paths.ts';
import type { Directory, Files } from '../../ports/files.ts';
import type { Connection, ConnectionHandlers } from '../../ports/socket.ts';
import { ROLLBACKS } from '../../rollback/open-rollbacks.ts';
import { removeUnlessMissing } from '../../session/remove-file.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import { temporaryParent } from '../../session/temporary-directory.ts';
import type { Context } from '../context.ts';
import { SESSIONS } from '../new-session.ts';
import { type Check, checkBy } from './checks.ts';

const ROOT = '/' as Bytes;
const PRIVATE_MODE = 0o600;
const WAY_OUT = 'make it writable, with free space, or set NONO_HOME to another place';
const REFUSALS = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT', 'EIO'] as const;

/** Whether a run can write what it has to: modes alone do not tell of a file system that is full or only to be read. */
export function checkState(context: Context): Check {
  const { files, stateDirectory, uid, randomHex } = context;
  const shown = displayBytes(stateDirectory);
  const probe = bytesFromText(`.nono-${randomHex(8)}`);
  return checkBy('state directory', () => {
    using state = openStateDirectory(files, stateDirectory, uid, { create: false });
    if (state === undefined) {
      const above = nearestThere(files, stateDirectory);
      attempt(above, () => {
        using directory = files.openDirectory(above);
        tryToWrite(directory, probe, true);
      });
      return `${shown}, made when it is needed`;
    }
    attempt(stateDirectory, () => tryToWrite(state, probe, true));
    for (const name of [SESSIONS, ROLLBACKS]) {
      const path = joinPath(stateDirectory, name);
      using directory = openStateDirectory(files, path, uid, { create: false });
      if (directory !== undefined) attempt(path, () => tryToWrite(directory, probe, true));
    }
    return shown;
  });
}

/** Whether a session can be reached there, which one without a terminal need not be. */
export async function checkSockets(context: Context): Promise<Check> {
  const name = 'sockets';
  const { files, randomHex } = context;
  const path = nearestThere(files, context.stateDirectory);
  const probe = bytesFromText(`.nono-${randomHex(8)}`);
  const sockets = await context.loadSockets();
  try {
    sockets.listen({ directory: path, name: probe }, refuse)[Symbol.dispose]();
    using directory = files.openDirectory(path);
    removeUnlessMissing(directory, probe);
    return { name, status: 'ok', detail: `in ${displayBytes(path)}` };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const detail = `none can be made in ${displayBytes(path)} (${error.errno}): no run on a terminal, no --detached`;
    return { name, status: 'limited', detail, fix: 'set NONO_HOME to a directory of your own on a local disk' };
  }
}

/** Nobody knows the name. */
function refuse(connection: Connection): ConnectionHandlers {
  connection.close();
  return { onData: nothing, onDrain: nothing, onClose: nothing };
}

function nothing(): void {}

/** Whether a command can get its TMPDIR. */
export function checkTemporary(context: Context): Check {
  const parent = temporaryParent(context);
  return checkBy('temporary files', () => {
    attempt(
      parent,
      () => {
        using directory = context.files.openDirectory(parent);
        tryToWrite(directory, bytesFromText(`.nono-${context.randomHex(8)}`));
      },
      'make it a directory that you can write, with free space',
    );
    return displayBytes(parent);
  });
}

/** Where the state directory is, or will be: what is missing above it is made with it. */
export function nearestThere(files: Files, path: Bytes): Bytes {
  return path === ROOT || mayBeThere(files, path) ? path : nearestThere(files, parentPath(path));
}

/** @param isLocked What is there is locked, too: some network file systems can be written, and have no locks. */
function tryToWrite(directory: Directory, probe: Bytes, isLocked = false): void {
  try {
    using file = directory.createFile(probe, PRIVATE_MODE);
    if (isLocked) file.tryLock();
  } finally {
    removeUnlessMissing(directory, probe);
  }
}

function attempt(path: Bytes, write: () => void, hint = WAY_OUT): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof SystemError) || !isErrno(error, ...REFUSALS)) throw explainMachine(error);
    throw new StateError(`nothing can be written in ${displayBytes(path)} (${error.errno})`, {
      cause: error,
      hint,
    });
  }
}
