import { cString } from '../../bytes.ts';
import type { Attempt, AttemptResults } from '../../sandbox/launch.ts';
import { addressOf, errnoName, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** Neither a FIFO without a partner nor a terminal may hold us up, and no terminal become ours. */
const HARMLESS = uapi.O_NONBLOCK | uapi.O_NOCTTY | uapi.O_CLOEXEC;

/** W_OK and X_OK, as MAY_WRITE and MAY_EXEC of include/linux/fs.h. */
const WRITE = 2;
const WRITE_AND_ENTER = 3;

/** @see SandboxHost.attempt() */
export function tryAll(attempts: readonly Attempt[]): AttemptResults {
  return attempts.map(({ call, path }) => {
    const result = tryOne(call, cString(path));
    return result < 0 ? errnoName(-result) : null;
  });
}

function tryOne(call: Attempt['call'], name: Buffer): number {
  switch (call) {
    case 'read':
      return open(name, uapi.O_RDONLY);
    case 'write':
      return open(name, uapi.O_WRONLY);
    case 'rename':
      return renameToItself(name);
    case 'socket-permissions':
      return trySyscall('faccessat', uapi.AT_FDCWD, addressOf(name), WRITE);
    case 'directory-permissions':
      return trySyscall('faccessat', uapi.AT_FDCWD, addressOf(name), WRITE_AND_ENTER);
  }
}

function open(name: Buffer, flags: number): number {
  const opened = trySyscall('openat', uapi.AT_FDCWD, addressOf(name), flags | HARMLESS, 0);
  if (opened >= 0) trySyscall('close', opened);
  return opened;
}

/**
 * Does nothing: vfs_rename() of fs/namei.c returns early when both names are one file. What comes before is the
 * question whether this name may be removed and made in this directory.
 */
function renameToItself(name: Buffer): number {
  return trySyscall('renameat2', uapi.AT_FDCWD, addressOf(name), uapi.AT_FDCWD, addressOf(name), 0);
}
