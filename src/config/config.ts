import { type Bytes, displayBytes } from '../bytes.ts';
import { ConfigError } from '../errors.ts';
import type { Files } from '../ports/files.ts';
import { checkDocument } from './check.ts';
import { CONFIG_SCHEMA, type Config } from './schema.ts';
import { readTextFile } from './text-file.ts';
import { parseToml } from './toml.ts';

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
  return loadConfig(readTextFile(files, path) ?? '', displayBytes(path));
}

/** The same with the keys that the file has, as `table.key`, and their lines. */
export function readConfigDocument(
  files: Files,
  path: Bytes,
): { readonly settings: Config; readonly written: ReadonlyMap<string, number> } {
  const shown = displayBytes(path);
  const text = readTextFile(files, path) ?? '';
  const settings = loadConfig(text, shown);
  const written = new Map<string, number>();
  for (const [table, { value }] of parseToml(text, shown).value)
    if (value.kind === 'table') for (const [key, { line }] of value.value) written.set(`${table}.${key}`, line);
  return { settings, written };
}
