import { bytesFromText, displayBytes } from './bytes.ts';

/** Process exit codes: a public contract (src/commands/OUTPUT.md). Add numbers, never reuse one. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  partial: 3,
  notFound: 4,
  nonoFailed: 125,
  cannotExecute: 126,
  commandNotFound: 127,
  takenOver: 254,
  cannotAttach: 255,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Stable identity of a failure for scripts and `--json`. */
export type ErrorCode = `E_${Uppercase<string>}`;

/** What else an error says than its first line. */
export interface NonoErrorOptions {
  /** One imperative sentence that tells the user what to do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A failure the user can act on. Anything else that reaches main() is a bug.
 *
 * Message form: `Cannot <verb> "<thing>": <what is>, <what is wanted>`, no full stop, always the
 * path or id that it is about.
 */
export class NonoError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, exitCode: ExitCode, message: string, { hint, cause }: NonoErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** The call's words are wrong: nothing was done. */
export class UsageError extends NonoError {
  constructor(message: string, options: NonoErrorOptions = {}) {
    super('E_USAGE', EXIT.usage, message, options);
  }
}

/** An option or a verb that nobody here knows; whoever knows other tools may know a better hint. */
export class UnknownWordError extends UsageError {
  readonly kind: 'option' | 'verb';
  /** As it was written: `--frobnicate`, `profile diff`. */
  readonly word: string;

  constructor(kind: 'option' | 'verb', word: string, message: string, hint: string) {
    super(message, { hint });
    this.kind = kind;
    this.word = word;
  }
}

/** nono's own state (a directory, a record, a manifest) cannot be used. */
export class StateError extends NonoError {
  constructor(message: string, options: NonoErrorOptions = {}) {
    super('E_STATE', EXIT.failure, message, options);
  }
}

/** Something that nono stored is not what it stored: a hash, a field or a file is wrong. */
export class DamageError extends NonoError {
  constructor(message: string, options: NonoErrorOptions = {}) {
    super('E_DAMAGED', EXIT.partial, message, {
      hint: 'See what else is damaged with `nono rollback verify --all`',
      ...options,
    });
  }
}

/** No session or rollback session has this id. */
export class NotFoundError extends NonoError {
  constructor(message: string, options: NonoErrorOptions = {}) {
    super('E_NOT_FOUND', EXIT.notFound, message, options);
  }
}

/** The configuration or a profile cannot be used; the message starts with `FILE:LINE:`. */
export class ConfigError extends NonoError {
  constructor(message: string, options: NonoErrorOptions = {}) {
    super('E_CONFIG', EXIT.failure, message, options);
  }
}

/** What a system call answered. `errno` is the symbolic name, such as "ENOENT". */
export class SystemError extends Error {
  readonly errno: string;
  readonly call: string;
  readonly path: string | undefined;

  constructor(call: string, errno: string, path?: string) {
    super(path === undefined ? `${call}: ${errno}` : `${call} "${path}": ${errno}`);
    this.call = call;
    this.errno = errno;
    this.path = path;
  }
}

/** True when `error` is what the operating system answered with one of `names`. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof SystemError && names.includes(error.errno);
}

/** What says something about the machine and nothing about nono. */
const MACHINE_ERRNOS = [
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EROFS',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EAGAIN',
  'ENOLCK',
  'EMLINK',
] as const;

/** What says something about who may do what, where nothing of nono's own has another word for it. */
const PERMISSION_ERRNOS = ['EACCES', 'EPERM'] as const;

/** Calls that answer EAGAIN where the user, or a container, has all the processes and threads that may be (fork(2)). */
const MAKING_PROCESSES: readonly string[] = ['clone', 'fork', 'posix_spawn'];
export const TOO_MANY_FILES = 'This process may have no more files open: allow more, for instance with ulimit -n 1024';
export const TOO_MANY_FILES_THERE = 'Too many files are open on this machine: end something';
export const TOO_MANY_PROCESSES = 'You have as many processes as you may have: end some, or allow more with ulimit -u';

/** There on every machine, and out of sight where /proc shows processes alone. */
const KERNEL_SETTINGS = '/proc/sys/';

/** What is in the state directory was there when it was opened. */
const OWN_STATE_REGEXP = /\/(?:sessions(?:\/[0-9a-f]{6}\.[^/]+)?|names(?:\/[\w.-]+)?|rollbacks(?:\/\d{8}-\d{6}-\d+(?:\/.*)?)?)$/;

/** What flock(2) answers where a file system has no locks: NFS without its daemon, Lustre as it was mounted for long, some in user space. */
const NO_LOCKS_ERRNOS = ['ENOLCK', 'ENOSYS', 'EOPNOTSUPP'] as const;

/** What bind(2) of a local socket answers where a file system has none: vfat, sshfs, directories of another machine in a virtual one. */
const NO_SOCKETS_ERRNOS = ['EPERM', 'EOPNOTSUPP'] as const;

/** What says something about a path that somebody has given, by a word or a variable. */
const PATH_ERRNOS = ['ENAMETOOLONG', 'ELOOP'] as const;

/** A call that the machine refused, as an error that a user can act on; anything else as it is. */
export function explainMachine(thrown: unknown): unknown {
  // What could not be tidied up behind a failure is no news beside that. By its name: not each runtime has the class.
  if (thrown instanceof Error && thrown.name === 'SuppressedError' && 'suppressed' in thrown)
    return explainMachine(thrown.suppressed);
  const error = isAnswer(thrown) ? new SystemError(thrown.syscall, thrown.code) : thrown;
  if (isErrno(error, ...PATH_ERRNOS)) {
    const hint =
      'Look at the path, and at HOME, NONO_HOME, XDG_CONFIG_HOME and TMPDIR: one is too long, or its links go round in a circle';
    return new NonoError('E_PATH', EXIT.failure, 'Cannot use a path', { cause: error, hint });
  }
  if (isErrno(error, ...NO_SOCKETS_ERRNOS) && error instanceof SystemError && error.call === 'bind') {
    const hint =
      'Set NONO_HOME to a directory of your own on a local disk; without a terminal on all three streams a run needs no socket';
    return new StateError("Cannot go on: the file system of nono's own state has no sockets", { cause: error, hint });
  }
  if (isErrno(error, ...PERMISSION_ERRNOS)) {
    const hint =
      'Whoever runs nono may not do that there: see owner and mode of it, and of all directories above it (namei -l PATH)';
    return new NonoError('E_PATH', EXIT.failure, 'Cannot use a path', { cause: error, hint });
  }
  if (isErrno(error, 'ENOENT') && error instanceof SystemError && error.path?.startsWith(KERNEL_SETTINGS) === true) {
    const hint = 'Mount /proc whole, not with subset=pid (in a unit of systemd ProcSubset=pid): nono looks there at the kernel';
    return new NonoError('E_SYSTEM', EXIT.failure, 'Cannot go on', { cause: error, hint });
  }
  if (isErrno(error, 'ENOENT') && error instanceof SystemError && OWN_STATE_REGEXP.test(error.path ?? '')) {
    const hint = 'Run it again; while sessions run, remove what has ended with `nono prune` and `nono rollback cleanup`';
    return new StateError("Cannot go on: somebody has removed nono's own state meanwhile", { cause: error, hint });
  }
  if (isErrno(error, ...NO_LOCKS_ERRNOS) && error instanceof SystemError && error.call === 'flock') {
    const hint = 'Set NONO_HOME to a directory of your own on a local disk, or mount it with locks (flock)';
    return new StateError("Cannot go on: the file system of nono's own state has no locks", { cause: error, hint });
  }
  if (!isErrno(error, ...MACHINE_ERRNOS)) return error;
  if (isErrno(error, 'EAGAIN') && error instanceof SystemError && MAKING_PROCESSES.includes(error.call)) {
    return new NonoError('E_SYSTEM', EXIT.failure, 'Cannot start a process', { cause: error, hint: TOO_MANY_PROCESSES });
  }
  if (isErrno(error, 'EROFS')) {
    const hint =
      'The file system can only be read: mount it for writing (findmnt -T PATH says which), or set NONO_HOME to another place';
    return new NonoError('E_SYSTEM', EXIT.failure, 'Cannot go on', { cause: error, hint });
  }
  const hint =
    MACHINE_HINTS[error instanceof SystemError ? error.errno : ''] ??
    'The machine has no room, no descriptors, no memory or a failing disk, or a limit forbids more (ulimit -a): see to that and try again';
  return new NonoError('E_SYSTEM', EXIT.failure, 'Cannot go on', { cause: error, hint });
}

const MACHINE_HINTS: Readonly<Record<string, string>> = { EMFILE: TOO_MANY_FILES, ENFILE: TOO_MANY_FILES_THERE };

/** The runtime makes calls of its own, and has errors of its own for what the machine answers. */
function isAnswer(error: unknown): error is { readonly syscall: string; readonly code: string } {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  return typeof error.syscall === 'string' && MACHINE_ERRNOS.some((errno) => errno === error.code);
}

/** Renders any thrown value. Pure: main() does the writing and the exiting. */
export function describeFailure(thrown: unknown): { readonly text: string; readonly exitCode: ExitCode } {
  const error = explainMachine(thrown);
  if (!(error instanceof NonoError)) return { text: describeBug(error), exitCode: EXIT.nonoFailed };
  const lines = [`Error: ${error.message} [${error.code}]`, ...causesOf(error).map((cause) => `Caused by: ${cause}`)];
  if (error.hint !== undefined) lines.push(`Hint: ${error.hint}`);
  return { text: lines.join('\n'), exitCode: error.exitCode };
}

/** An error that is no NonoError, with where it is, on several lines. */
export function describeBug(error: unknown): string {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Internal error: ${detail.split('\n').map(foreignLine).join('\n')}`;
}

/** What the causes of an error say, the nearest first. */
export function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  for (let cause = error instanceof Error ? error.cause : undefined; cause instanceof Error; cause = cause.cause)
    causes.push(foreignLine(cause.message));
  return causes;
}

/** What nono did not word itself may quote a damaged file: the engine's errors name the character that they stumbled over. */
function foreignLine(text: string): string {
  return displayBytes(bytesFromText(text));
}
