import { type Bytes, displayBytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { ConfigError, UsageError } from '../errors.ts';
import { resolvePath } from '../paths.ts';
import type { Context } from './context.ts';
import type { ParsedCall } from './spec.ts';

const NAME_REGEXP = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** What the call says of the command's environment. */
export interface ChosenVariables {
  /** Names of the caller's variables that pass whatever they look like. */
  readonly passed: readonly Bytes[];
  readonly set: ReadonlyMap<Bytes, Bytes>;
  readonly files: readonly VariableFile[];
}

/** A file that variables were read from. */
export interface VariableFile {
  /** Absolute. */
  readonly path: Bytes;
  /** Names there whose values are the caller's, without those that the call itself names. */
  readonly passed: readonly Bytes[];
}

/**
 * Reads `--env NAME`, `--env NAME=VALUE` and `--env-file FILE`, whose lines are the same. What comes later counts, and
 * `--env` before any file.
 *
 * @throws {UsageError} for what is no name. @throws {ConfigError} for a file, with the line.
 */
export async function chooseVariables({ values }: ParsedCall, context: Context): Promise<ChosenVariables> {
  const passed = new Set<Bytes>();
  const set = new Map<Bytes, Bytes>();
  const add = ({ name, value }: Assignment): void => {
    passed.delete(name);
    set.delete(name);
    if (value === undefined) passed.add(name);
    else set.set(name, value);
  };
  const files: VariableFile[] = [];
  for (const written of values.get('env-file') ?? []) {
    const path = resolvePath(context.workingDirectory ?? ('/' as Bytes), written);
    const lines = await readVariables(path, written, context);
    for (const line of lines) add(line);
    files.push({ path, passed: collect(lines, ({ name, value }) => (value === undefined ? [name] : [])) });
  }
  const named = new Set<Bytes>();
  for (const word of values.get('env') ?? []) {
    const assignment = parseAssignment(word);
    if (assignment === undefined)
      throw new UsageError(`Cannot use --env "${displayBytes(word)}": expected NAME, or NAME=VALUE`, {
        hint: 'A name has letters, digits and _ and does not begin with a digit',
      });
    add(assignment);
    named.add(assignment.name);
  }
  for (const name of passed)
    if (!context.environment.has(name)) context.notify(`The variable ${displayBytes(name)} is not set here: nothing to pass`);
  const chosen = files.map(({ path, passed: names }) => ({ path, passed: names.filter((name) => !named.has(name)) }));
  return { passed: [...passed], set, files: chosen };
}

interface Assignment {
  readonly name: Bytes;
  /** Undefined: the caller's own value. */
  readonly value: Bytes | undefined;
}

function parseAssignment(word: Bytes): Assignment | undefined {
  const at = word.indexOf('=');
  const name = (at < 0 ? word : word.slice(0, at)) as Bytes;
  if (!NAME_REGEXP.test(name)) return undefined;
  return { name, value: at < 0 ? undefined : (word.slice(at + 1) as Bytes) };
}

/** As docker reads such a file: one variable a line, `#` begins a comment line, and a value is what follows, quotes included. */
async function readVariables(path: Bytes, written: Bytes, { files }: Context): Promise<readonly Assignment[]> {
  const { readBytesFile } = await import('../config/text-file.ts');
  const shown = displayBytes(written);
  const text = readBytesFile(files, path);
  if (text === undefined) throw new ConfigError(`Cannot read "${shown}": it does not exist`, { hint: 'Correct --env-file' });
  const problems: string[] = [];
  const assignments = text.split('\n').flatMap((line, at): readonly Assignment[] => {
    const trimmed = line.replace(/\r$/, '').trimStart() as Bytes;
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const assignment = trimmed.includes('\0') ? undefined : parseAssignment(trimmed);
    if (assignment !== undefined) return [assignment];
    problems.push(`${shown}:${at + 1}: expected NAME=VALUE, or NAME alone`);
    return [];
  });
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return assignments;
}
