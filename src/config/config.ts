import { type Bytes, displayBytes, isUtf8, textFromBytes } from '../bytes.ts';
import { ConfigError, SystemError } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Files } from '../ports/files.ts';
import { checkDocument } from './check.ts';
import { CONFIG_SCHEMA, type Config } from './schema.ts';
import { parseToml } from './toml.ts';

/** Far above any real file; what is larger is not a configuration. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The configuration that `text` describes; an empty text gives every fallback.
 *
 * @throws {ConfigError} with one line `FILE:LINE: …` for each problem.
 */
export function loadConfig(text: string, fileName: string): Config {
  const { settings, problems } = checkDocument(parseToml(text, fileName), CONFIG_SCHEMA);
  if (problems.length > 0)
    throw new ConfigError(problems.map(({ line, message }) => `${fileName}:${line}: ${message}`).join('\n'));
  return settings;
}

/**
 * Reads the user's configuration; a missing file gives every fallback. The file may be a link, as in a
 * home that is kept in git.
 *
 * @throws {ConfigError} when the file cannot be read or used.
 */
export function readConfig(files: Files, path: Bytes): Config {
  const shown = displayBytes(path);
  const real = unlessSystemError(shown, () => files.realPath(path));
  if (real === undefined) return loadConfig('', shown);
  const data = unlessSystemError(shown, () => readSmallFile(files, real));
  if (data === undefined)
    throw new ConfigError(`Cannot read "${shown}": it is not a regular file of at most ${MAX_FILE_BYTES} bytes`);
  if (!isUtf8(data)) throw new ConfigError(`Cannot read "${shown}": it is not UTF-8 text`);
  return loadConfig(textFromBytes(data), shown);
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
    throw new ConfigError(`Cannot read "${shown}": ${error.errno}`, { cause: error });
  }
}
