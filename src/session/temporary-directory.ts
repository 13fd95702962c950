import { type Bytes, displayBytes } from '../bytes.ts';
import { EXIT, isErrno, NonoError, SystemError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Files } from '../ports/files.ts';
import type { Processes, ProcessIdentity } from '../ports/processes.ts';
import { removeTree } from '../remove-tree.ts';
import type { RandomHex } from './names.ts';

const PARENT = '/tmp' as Bytes;
const MODE = 0o700;
const RANDOM_BYTES = 8;

/** `nono-<id>-<random>.<pid>.<start>.<pid namespace>`: the owner is in the name, so that a sweep can tell whether it lives. */
const NAME_REGEXP = /^nono-[0-9a-f]{6}-[0-9a-f]{16}\.(?<pid>\d+)\.(?<start>\d+)\.(?<namespace>\d+)$/;

export interface TemporaryPlace {
  readonly files: Files;
  /** The caller's: its TMPDIR is where the directory is put inside another nono, which grants that one rather than /tmp. */
  readonly environment: ReadonlyMap<Bytes, Bytes>;
  readonly randomHex: RandomHex;
}

/** The path of a session's TMPDIR, made by createTemporaryDirectory(). */
export function temporaryDirectoryPath(
  { files, environment, randomHex }: TemporaryPlace,
  id: string,
  owner: ProcessIdentity,
): Bytes {
  const name = `nono-${id}-${randomHex(RANDOM_BYTES)}.${owner.pid}.${owner.startTicks}.${owner.pidNamespace}` as Bytes;
  return joinPath(temporaryParent({ files, environment }), name);
}

/** What such a directory is made in. */
export function temporaryParent({ files, environment }: Pick<TemporaryPlace, 'files' | 'environment'>): Bytes {
  const given = environment.get('TMPDIR' as Bytes);
  const outer = given?.startsWith('/') === true && !canOpen(files, PARENT) ? files.realPath(given) : undefined;
  return outer ?? files.realPath(PARENT) ?? PARENT;
}

function canOpen(files: Files, path: Bytes): boolean {
  try {
    files.openDirectory(path)[Symbol.dispose]();
    return true;
  } catch (error) {
    // Whatever else is wrong with it is said by whoever uses it.
    if (error instanceof SystemError) return !isErrno(error, 'EACCES');
    throw error;
  }
}

/** @throws {NonoError} when /tmp cannot be written; EEXIST cannot happen but by somebody's doing, and fails too. */
export function createTemporaryDirectory(files: Files, path: Bytes): void {
  const { parent, name } = split(path);
  try {
    using directory = files.openDirectory(parent);
    directory.createDirectory(name, MODE);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EEXIST', 'ENOENT', 'ENOSPC', 'EROFS', 'EDQUOT', 'ENOTDIR')) throw error;
    throw new NonoError('E_TEMPORARY', EXIT.nonoFailed, `Cannot create the temporary directory "${displayBytes(path)}"`, {
      cause: error,
      hint: `Make ${displayBytes(parent)} a directory that you can write, with free space`,
    });
  }
}

/**
 * A mark of life, with each heartbeat: cleaners of /tmp (systemd-tmpfiles) remove what nobody has used for days, and the command cannot make another one, since
 * what it was given is this one.
 */
export function touchTemporaryDirectory(files: Files, path: Bytes, epochMs: number): void {
  const { parent, name } = split(path);
  using directory = files.openDirectory(parent);
  directory.setModificationTime(name, Math.floor(epochMs / 1000), 0);
}

/** Nothing that the command left in it leads out of it, and what cannot be removed stays for the next sweep. */
function removeTemporaryDirectory(files: Files, path: Bytes): void {
  const { parent, name } = split(path);
  using directory = files.openDirectory(parent);
  removeTree(directory, name);
}

/** A sweep looks at all of /tmp, which takes longer than most other steps of a short run: one in so many does it. */
const RUNS_FOR_EACH_SWEEP = 16;

/** Nobody is left to tidy up behind a supervisor that was killed, and a wrapped command: now and then somebody else does, not each time. */
export function isSweepDue(randomHex: RandomHex): boolean {
  return Number.parseInt(randomHex(1), 16) < 256 / RUNS_FOR_EACH_SWEEP;
}

/** At the end of a session its own directory goes, and then `sweep` is done. What the system does not let go of stays for the next sweep. */
export function leaveTemporaryDirectory(files: Files, path: Bytes, sweep: () => void): void {
  try {
    removeTemporaryDirectory(files, path);
    sweep();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/** Removes what sessions left whose supervisor was killed. */
export function sweepTemporaryDirectories(files: Files, processes: Processes, uid: number): void {
  const parent = files.realPath(PARENT);
  // Inside another nono, whose own sweep takes what is left in its TMPDIR.
  if (parent === undefined || !canOpen(files, parent)) return;
  using directory = files.openDirectory(parent);
  const self = processes.self();
  for (const name of directory.names()) {
    const owner = NAME_REGEXP.exec(name)?.groups;
    // The pids of another namespace say nothing here: its own sessions sweep it.
    if (owner === undefined || Number(owner['namespace']) !== self.pidNamespace) continue;
    const start = processes.startTicks(Number(owner['pid']));
    // Perhaps the owner, where that is hidden.
    if (start === Number(owner['start']) || Number.isNaN(start)) continue;
    const stat = directory.stat(name);
    if (stat?.kind !== 'directory' || stat.uid !== uid) continue;
    // The owner, though it tells another time: one of us is in a time namespace. Whoever has its pid later starts after the directory was changed for the last time.
    if (start !== undefined && processes.wallSeconds(start) < stat.mtimeSeconds + 1) continue;
    removeTree(directory, name);
  }
}

function split(path: Bytes): { readonly parent: Bytes; readonly name: Bytes } {
  const at = path.lastIndexOf('/');
  return { parent: path.slice(0, at) as Bytes, name: path.slice(at + 1) as Bytes };
}
