import { type Bytes, displayBytes, isUtf8, textFromBytes } from '../bytes.ts';
import { ConfigError, isErrno, SystemError } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Files } from '../ports/files.ts';

/** Far above any real file; what is larger is not a configuration. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads a file that a person wrote: UTF-8 text. It may be a link, as in a home that is kept in git.
 *
 * @returns undefined when there is none.
 * @throws {ConfigError} when it cannot be read or is something else.
 */
export function readTextFile(files: Files, path: Bytes): string | undefined {
  const data = readBytesFile(files, path);
  if (data === undefined) return undefined;
  if (!isUtf8(data)) throw new ConfigError(`Cannot read "${displayBytes(path)}": it is not UTF-8 text`);
  return textFromBytes(data);
}

/** The same for a file that may hold any bytes. */
export function readBytesFile(files: Files, path: Bytes): Bytes | undefined {
  const shown = displayBytes(path);
  const real = unlessSystemError(shown, () => files.realPath(path));
  if (real === undefined) return undefined;
  const data = unlessSystemError(shown, () => readSmallFile(files, real));
  if (data === undefined)
    throw new ConfigError(`Cannot read "${shown}": it is not a regular file of at most ${MAX_FILE_BYTES} bytes`);
  return data;
}

/** @returns undefined when it is too large or something else than a file. */
function readSmallFile(files: Files, path: Bytes): Bytes | undefined {
  using directory = files.openDirectory(parentPath(path));
  using file = directory.openFile(baseName(path));
  const { kind, sizeBytes } = file.stat();
  if (kind !== 'file' || sizeBytes > MAX_FILE_BYTES) return undefined;
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < buffer.length; length += count) count = file.read(buffer.subarray(length));
  return length > MAX_FILE_BYTES ? undefined : (buffer.toString('latin1', 0, length) as Bytes);
}

function unlessSystemError<Value>(shown: string, action: () => Value): Value {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const hint = isErrno(error, 'EACCES')
      ? 'See owner and mode of it, and of the directories above it: namei -l PATH'
      : undefined;
    throw new ConfigError(`Cannot read "${shown}": ${error.errno}`, { cause: error, hint });
  }
}
