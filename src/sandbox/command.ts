import { type Bytes, displayBytes } from '../bytes.ts';
import { EXIT, isErrno, NonoError } from '../errors.ts';
import { baseName, joinPath, parentPath } from '../paths.ts';
import type { FoundPath, PathFacts } from '../ports/path-facts.ts';
import { shownWord } from '../shell-word.ts';
import { resolveQuietly } from './look-up.ts';
import { absolute } from './planted.ts';
import type { World } from './policy.ts';

/** What execvp(3) walks when PATH is not set (confstr(3) _CS_PATH of glibc). */
const DEFAULT_PATH = '/bin:/usr/bin';

/** The kernel reads this much of a file to find its interpreter (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h). */
const SCRIPT_LINE_BYTES = 256;
/** The kernel gives up after this many interpreters of interpreters (exec_binprm of fs/exec.c). */
const INTERPRETERS_MAXIMUM = 5;
const ANY_MAY_EXECUTE = 0o111;
const OTHERS_MAY_EXECUTE = 0o001;

/** A program as it will be executed, with all that has to be readable for it. */
export interface FoundCommand {
  /** Candidates for execve(2) in the order of PATH. */
  readonly executables: readonly Bytes[];
  /** The first candidate and its chain of `#!` interpreters, as found and with links resolved. */
  readonly chain: readonly FoundFile[];
}

/** A program or interpreter that the command needs, by the name that leads to it and without links. */
export interface FoundFile {
  readonly path: Bytes;
  readonly resolved: Bytes;
  /** The script whose first line gives the path, links resolved; undefined for what the caller named, or is found on PATH. */
  readonly namedBy?: Bytes;
}

/** The entries of the PATH that the command gets, as they are written. */
export function pathEntries({ environment }: Pick<World, 'environment'>): readonly Bytes[] {
  return (environment.get('PATH' as Bytes) ?? DEFAULT_PATH).split(':') as Bytes[];
}

/** The same, absolute; an empty one means the working directory. */
export function searchPath(world: World): readonly Bytes[] {
  const { workingDirectory } = world;
  return pathEntries(world).map((entry) => (entry === '' ? workingDirectory : absolute(entry, workingDirectory)));
}

/**
 * Finds the command by the rules of execvp(3).
 *
 * @throws {NonoError} E_COMMAND_NOT_FOUND (127), or E_CANNOT_EXECUTE (126) for a file that nobody may execute.
 */
export function findCommand(name: Bytes, world: World): FoundCommand {
  const candidates = name.includes('/')
    ? [absolute(name, world.workingDirectory)]
    : searchPath(world).map((directory) => joinPath(directory, name));
  world.facts.prepare?.(candidates);
  const executables: FoundFile[] = [];
  let unusable: FoundFile | undefined;
  for (const path of candidates) {
    const file = resolveQuietly(world.facts, path);
    if (file === undefined) continue;
    const found: FoundFile = { path, resolved: file.path };
    if (file.kind === 'file' && (file.mode & ANY_MAY_EXECUTE) !== 0) executables.push(found);
    else unusable ??= found;
    // The walk ends at the first that everybody may execute; before, permissions decide, and execve(2) tells.
    if (file.kind === 'file' && (file.mode & OTHERS_MAY_EXECUTE) !== 0) break;
  }
  const [first] = executables;
  if (first !== undefined) return { executables: executables.map(({ path }) => path), chain: followInterpreters(first, world) };
  throw unusable === undefined ? notFound(name) : notExecutable(unusable.path, resolveQuietly(world.facts, unusable.path)?.kind);
}

function notFound(name: Bytes): NonoError {
  const shown = displayBytes(name);
  const where = name.includes('/') ? 'there is no such file' : 'it is in no directory of PATH';
  const correct = name.includes('/') ? 'Correct the path' : 'Correct the name, or give the path of the program';
  // One quoted word for all of a line: no shell reads it.
  const hint = /\s/.test(name)
    ? `Write its words without quotes around all of them, or give a shell the line: -- sh -c ${shownWord(name)}`
    : correct;
  return new NonoError('E_COMMAND_NOT_FOUND', EXIT.commandNotFound, `Cannot run "${shown}": ${where}`, { hint });
}

function notExecutable(path: Bytes, kind: FoundPath['kind'] | undefined): NonoError {
  const shown = displayBytes(path);
  const isDirectory = kind === 'directory';
  return new NonoError(
    'E_CANNOT_EXECUTE',
    EXIT.cannotExecute,
    `Cannot run "${shown}": it is ${isDirectory ? 'a directory' : 'not executable'}`,
    {
      hint: isDirectory
        ? 'Give the program itself'
        : `Make it executable with \`chmod +x ${shown}\`, or run it through its interpreter`,
    },
  );
}

/** The file, its interpreter, the interpreter of that …; `env NAME` counts as NAME too. */
function followInterpreters(file: FoundFile, world: World): readonly FoundFile[] {
  const chain: FoundFile[] = [{ path: file.path, resolved: file.resolved }];
  for (let at = 0; at < chain.length && chain.length <= INTERPRETERS_MAXIMUM; at++) {
    const current = chain[at] as FoundFile;
    for (const path of interpretersOf(readStart(world.facts, current.resolved), world)) {
      const next = resolveQuietly(world.facts, path);
      if (next === undefined && isMissing(world.facts, path)) throw badInterpreter(current.path, path);
      const isNew = next !== undefined && !chain.some(({ resolved }) => resolved === next.path);
      if (!isNew) continue;
      const isOnPath = searchPath(world).includes(parentPath(path));
      chain.push({ path, resolved: next.path, ...(isOnPath ? {} : { namedBy: current.resolved }) });
    }
  }
  return chain;
}

/** Missing, not merely out of reach: that is for execve(2) to judge. */
function isMissing(facts: PathFacts, path: Bytes): boolean {
  try {
    return facts.resolve(path) === undefined;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ESTALE')) return false;
    throw error;
  }
}

function badInterpreter(script: Bytes, interpreter: Bytes): NonoError {
  const shown = displayBytes(script);
  return new NonoError(
    'E_CANNOT_EXECUTE',
    EXIT.cannotExecute,
    `Cannot run "${shown}": its interpreter "${displayBytes(interpreter)}" does not exist`,
    {
      hint: `Install the interpreter, or correct the first line of ${shown}`,
    },
  );
}

/** What the first line of a script names. */
export function interpretersOf(start: Bytes, world: World): readonly Bytes[] {
  if (!start.startsWith('#!')) return [];
  const line = /^#![ \t]*([^\n]*)/.exec(start)?.[1]?.trimEnd();
  if (line === undefined || line === '') return [];
  const [interpreter, ...words] = line.split(/[ \t]+/) as [Bytes, ...Bytes[]];
  const path = absolute(interpreter, world.workingDirectory);
  if (baseName(interpreter) !== 'env') return [path];
  // env(1): options such as -S, then assignments, then the program.
  const program = words.find((word) => !word.startsWith('-') && !word.includes('='));
  const found = program === undefined ? undefined : firstOnPath(program, world);
  return found === undefined ? [path] : [path, found];
}

function firstOnPath(name: Bytes, world: World): Bytes | undefined {
  if (name.includes('/')) return absolute(name, world.workingDirectory);
  return searchPath(world)
    .map((directory) => joinPath(directory, name))
    .find((path) => resolveQuietly(world.facts, path)?.kind === 'file');
}

function readStart(facts: PathFacts, path: Bytes): Bytes {
  try {
    return facts.readStart(path, SCRIPT_LINE_BYTES);
  } catch (error) {
    // Executable but not readable, or gone since: execve(2) itself will tell.
    if (isErrno(error, 'EACCES', 'EPERM', 'EAGAIN', 'ENOENT', 'ETXTBSY', 'ENXIO')) return '' as Bytes;
    throw error;
  }
}
