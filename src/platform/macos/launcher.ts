import { dlopen, FFIType, ptr, read } from 'bun:ffi';
import { type Bytes, cString } from '../../bytes.ts';
import { decodeLaunch, encodeLaunchFailure, type Launch, type LaunchFailure, type LaunchStep } from '../../sandbox/launch.ts';

/** The channel to the supervisor. */
const CHANNEL = 3;
const READ_BYTES = 64 * 1024;
const STREAMS: readonly number[] = [0, 1, 2];
const POINTER_BYTES = 8;

/** sys/spawn.h: become the program instead of starting it, and close every descriptor that is not named. */
const POSIX_SPAWN_SETEXEC = 0x0040;
const POSIX_SPAWN_CLOEXEC_DEFAULT = 0x4000;

/** sys/errno.h of Darwin, as far as these calls answer with it. */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  7: 'E2BIG',
  8: 'ENOEXEC',
  12: 'ENOMEM',
  13: 'EACCES',
  20: 'ENOTDIR',
  22: 'EINVAL',
  26: 'ETXTBSY',
  62: 'ELOOP',
  63: 'ENAMETOOLONG',
  86: 'EBADARCH',
};

type Library = ReturnType<typeof openLibrary>;

/**
 * The launcher role on macOS: reads its instructions, applies the Seatbelt profile to itself and becomes the command.
 *
 * Only functions with a fixed number of arguments are called: others are passed theirs in another way on arm64. What
 * fcntl(2) would do for descriptors, posix_spawn(2) does when it replaces this process.
 */
export function runMacosLauncher(): never {
  const library = openLibrary();
  const failure = become(library, decodeLaunch(readMessage(library)));
  const answer = encodeLaunchFailure(failure);
  library.write(CHANNEL, ptr(answer), answer.length);
  library._exit(1);
  throw new Error('_exit(2) returned');
}

function openLibrary() {
  const { i32, i64, u64, ptr: pointer, i16 } = FFIType;
  return dlopen('/usr/lib/libSystem.B.dylib', {
    read: { args: [i32, pointer, u64], returns: i64 },
    write: { args: [i32, pointer, u64], returns: i64 },
    chdir: { args: [pointer], returns: i32 },
    __error: { args: [], returns: pointer },
    _exit: { args: [i32], returns: FFIType.void },
    sandbox_init: { args: [pointer, u64, pointer], returns: i32 },
    posix_spawnattr_init: { args: [pointer], returns: i32 },
    posix_spawnattr_setflags: { args: [pointer, i16], returns: i32 },
    posix_spawn_file_actions_init: { args: [pointer], returns: i32 },
    posix_spawn_file_actions_addinherit_np: { args: [pointer, i32], returns: i32 },
    posix_spawn: { args: [pointer, pointer, pointer, pointer, pointer, pointer], returns: i32 },
  }).symbols;
}

function readMessage(library: Library): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = new Uint8Array(new ArrayBuffer(READ_BYTES));
    const length = Number(library.read(CHANNEL, ptr(piece), piece.length));
    if (length <= 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, length));
  }
}

function become(library: Library, launch: Launch): LaunchFailure {
  const { seatbelt, attempts, workingDirectory } = launch;
  // A plan without a profile is none for this system: never run it unconfined.
  if (seatbelt === undefined || attempts !== undefined) return { step: 'plan', errno: 'ENOTSUP' };
  if (library.chdir(ptr(cString(workingDirectory))) !== 0) return failed(library, 'directory', workingDirectory);
  const message = new Uint8Array(new ArrayBuffer(POINTER_BYTES));
  if (library.sandbox_init(ptr(cString(seatbelt)), 0n, ptr(message)) !== 0) return failed(library, 'restrict');
  return execute(library, launch);
}

/** Tries each candidate, as execvp(3) does. @returns why the last that mattered failed. */
function execute(library: Library, { executables, command, environment }: Launch): LaunchFailure {
  const attributes = new Uint8Array(new ArrayBuffer(POINTER_BYTES));
  const actions = new Uint8Array(new ArrayBuffer(POINTER_BYTES));
  library.posix_spawnattr_init(ptr(attributes));
  library.posix_spawnattr_setflags(ptr(attributes), POSIX_SPAWN_SETEXEC | POSIX_SPAWN_CLOEXEC_DEFAULT);
  library.posix_spawn_file_actions_init(ptr(actions));
  for (const stream of STREAMS) library.posix_spawn_file_actions_addinherit_np(ptr(actions), stream);
  const words = vector(command);
  const variables = vector(environment);
  let failure: LaunchFailure = { step: 'execute', errno: 'ENOENT' };
  for (const path of executables) {
    const name = cString(path);
    const code = library.posix_spawn(
      null,
      ptr(name),
      ptr(actions),
      ptr(attributes),
      ptr(words.pointers),
      ptr(variables.pointers),
    );
    const errno = errnoName(code);
    if (failure.path === undefined || errno !== 'ENOENT') failure = { step: 'execute', errno, path };
    if (errno !== 'ENOENT' && errno !== 'EACCES' && errno !== 'ENOTDIR') break;
  }
  return failure;
}

/** A NULL-ended array of C strings. Whoever uses it keeps `strings`, so that they stay where they are. */
function vector(items: readonly Bytes[]) {
  const strings = items.map(cString);
  const pointers = new Uint8Array(new ArrayBuffer((items.length + 1) * POINTER_BYTES));
  const view = new DataView(pointers.buffer);
  strings.forEach((string, at) => view.setBigUint64(at * POINTER_BYTES, BigInt(ptr(string)), true));
  return { pointers, strings };
}

function failed(library: Library, step: LaunchStep, path?: Bytes): LaunchFailure {
  const place = library.__error();
  const errno = errnoName(place === null ? 0 : read.i32(place, 0));
  return { step, errno, ...(path === undefined ? {} : { path }) };
}

function errnoName(code: number): string {
  return ERRNO_NAMES[code] ?? `errno ${code}`;
}
