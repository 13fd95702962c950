import { type Bytes, bufferFromBytes, bytesFromText, displayBytes } from '../../bytes.ts';
import { EXIT, isErrno, NonoError } from '../../errors.ts';
import { baseName, parentPath } from '../../paths.ts';
import type { Directory, Files } from '../../ports/files.ts';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

interface WriteOptions {
  /** Of nobody else's in that directory. */
  readonly temporaryName: Bytes;
  /** Whether a directory on the way may be a link. */
  readonly followsLinks: boolean;
}

/**
 * Writes a file that must not be there yet, and the directories that lead to it. It appears with all of its text.
 *
 * @throws {NonoError} when there is one already, or it cannot be written.
 */
export async function writeNewFile(files: Files, path: Bytes, text: string, options: WriteOptions): Promise<void> {
  const { temporaryName, followsLinks } = options;
  const open = (at: Bytes): Directory => (followsLinks ? files.openDirectory(at) : files.openWithoutLinks(at));
  const shown = displayBytes(path);
  if (baseName(path) === '') throw exists(shown);
  try {
    using directory = openMaking(open, parentPath(path));
    await writeThrough(directory, { path, text, temporaryName });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw exists(shown);
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'))
      throw error;
    throw new NonoError('E_OUTPUT', EXIT.failure, `Cannot write "${shown}"`, { cause: error });
  }
}

function exists(shown: string): NonoError {
  return new NonoError('E_EXISTS', EXIT.failure, `Cannot write "${shown}": it exists`, {
    hint: 'Edit it, or move it away first',
  });
}

async function writeThrough(
  directory: Directory,
  { path, text, temporaryName }: { readonly path: Bytes; readonly text: string; readonly temporaryName: Bytes },
): Promise<void> {
  using file = directory.createFile(temporaryName, FILE_MODE);
  try {
    file.write(bufferFromBytes(bytesFromText(text)));
    await file.syncLater();
    directory.renameNew(temporaryName, directory, baseName(path));
  } catch (error) {
    directory.removeFile(temporaryName);
    throw error;
  }
  await directory.syncLater();
}

function openMaking(open: (path: Bytes) => Directory, path: Bytes): Directory {
  try {
    return open(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || path === '/') throw error;
    using parent = openMaking(open, parentPath(path));
    makeQuietly(parent, baseName(path));
    return open(path);
  }
}

/** Somebody else may make it at the same moment. */
function makeQuietly(parent: Directory, name: Bytes): void {
  try {
    parent.createDirectory(name, DIRECTORY_MODE);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}
