import { cString } from '../../bytes.ts';
import type { Attempt, AttemptResults } from '../../sandbox/launch.ts';
import { addressOf, errnoName, fixedBuffer, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** Neither a FIFO without a partner nor a terminal may hold us up, and no terminal become ours. */
const HARMLESS = uapi.O_NONBLOCK | uapi.O_NOCTTY | uapi.O_CLOEXEC;

/** R_OK, W_OK and X_OK, as MAY_READ, MAY_WRITE and MAY_EXEC of include/linux/fs.h. */
const READ = 4;
const WRITE = 2;
const WRITE_AND_ENTER = 3;

/** include/linux/socket.h, and sa_family of struct sockaddr_un */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const FAMILY_BYTES = 2;
/** Connected already, a socket of another type, nobody who listens, or somebody who has enough waiting. */
const REACHED = ['EISCONN', 'EPROTOTYPE', 'ECONNREFUSED', 'EAGAIN'];

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
    case 'read-permissions':
      return trySyscall('faccessat', uapi.AT_FDCWD, addressOf(name), READ);
    case 'write-permissions':
    case 'socket-permissions':
      return trySyscall('faccessat', uapi.AT_FDCWD, addressOf(name), WRITE);
    case 'directory-permissions':
      return trySyscall('faccessat', uapi.AT_FDCWD, addressOf(name), WRITE_AND_ENTER);
    case 'connect': {
      const result = connect(name, SOCK_STREAM);
      return REACHED.includes(errnoName(-result)) ? 0 : result;
    }
    case 'connect-datagram':
      return connect(name, SOCK_DGRAM);
  }
}

/**
 * The path is looked for, and whether it may be connected to, before the socket that is to be connected (unix_stream_connect() of net/unix/af_unix.c): what comes
 * after that says that it may. A datagram socket of a pair may be connected anew, which its new partner does not notice.
 */
function connect(name: Buffer, type: number): number {
  const ends = new Int32Array(fixedBuffer(2 * Int32Array.BYTES_PER_ELEMENT).buffer);
  const address = fixedBuffer(FAMILY_BYTES + name.length);
  address[0] = AF_UNIX;
  address.set(name, FAMILY_BYTES);
  const made = trySyscall(
    'socketpair',
    AF_UNIX,
    type | uapi.O_CLOEXEC | uapi.O_NONBLOCK,
    0,
    addressOf(new Uint8Array(ends.buffer)),
  );
  if (made < 0) return made;
  const result = trySyscall('connect', ends[0], addressOf(address), address.length);
  for (const end of ends) trySyscall('close', end);
  return result;
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
