import { SystemError } from '../../errors.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** include/uapi/asm-generic/poll.h */
const POLLIN = 1;
const POLLOUT = 4;
const READ_BYTES = 4096;

/** Where the kernel tells of nothing, what has arrived is looked for this often. */
const LOOK_AGAIN_MS = 10;

/**
 * Gives what arrives on the descriptor of a socket pair or pipe piece by piece; an empty piece is the end. The
 * process does not end while it waits for more: nothing is given, and nothing waits, once it is disposed of.
 */
export function followDescriptor(descriptor: number, onData: (data: Uint8Array) => void): Disposable {
  syscall('fcntl', descriptor, uapi.F_SETFL, uapi.O_NONBLOCK);
  return followShared(descriptor, onData);
}

/** The same of standard input, whose file description others have too, who expect that it blocks: the runtime reads that only where something is there. */
export function followShared(descriptor: number, onData: (data: Uint8Array) => void): Disposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const reader = Bun.file(descriptor).stream().getReader();
  void (async () => {
    try {
      for (;;) {
        const { value, done } = await reader.read().catch(endOfReset);
        if (done) break;
        if (value.length > 0) onData(value);
      }
    } catch (error) {
      if (!isUnwatched(error)) throw error;
      await lookAgainAndAgain(descriptor, onData, signal);
    }
    if (!signal.aborted) onData(new Uint8Array());
  })();
  return {
    [Symbol.dispose]() {
      stopping.abort();
      void reader.cancel();
    },
  };
}

/** The user watches as many descriptors as may be (fs.epoll.max_user_watches), or the kernel has no memory for one more. Nothing was lost. */
function isUnwatched(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'epoll_ctl';
}

/** Until the end, or until it is disposed of. */
async function lookAgainAndAgain(descriptor: number, onData: (data: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  const piece = fixedBuffer(READ_BYTES);
  while (!signal.aborted) {
    if (!isSomethingThere(descriptor)) {
      await Bun.sleep(LOOK_AGAIN_MS);
      continue;
    }
    const length = trySyscall('read', descriptor, addressOf(piece), READ_BYTES);
    if (length === 0) return;
    if (length > 0) {
      onData(piece.slice(0, length));
      continue;
    }
    const errno = errnoName(-length);
    if (errno === 'ECONNRESET') return;
    if (!isWouldBlock(errno) && errno !== 'EINTR') throw new SystemError('read', errno);
    await Bun.sleep(LOOK_AGAIN_MS);
  }
}

/** A side that died with something unread resets the connection: the end, as of any that died. */
function endOfReset(error: unknown): { readonly value: undefined; readonly done: true } {
  if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return { value: undefined, done: true };
  throw error;
}

/** Blocks while the other side starts up; a side that died takes nothing more. */
export function writeAll(descriptor: number, message: Uint8Array): void {
  for (let done = 0; done < message.length; ) {
    const rest = message.subarray(done);
    const written = trySyscall('write', descriptor, addressOf(rest), rest.length);
    if (written >= 0) {
      done += written;
      continue;
    }
    const errno = errnoName(-written);
    if (errno === 'EPIPE' || errno === 'ECONNRESET') return;
    if (isWouldBlock(errno)) waitFor(descriptor, POLLOUT);
    else if (errno !== 'EINTR') throw new SystemError('write', errno);
  }
}

/** Until the other side has closed its end. */
export function readAll(descriptor: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = fixedBuffer(READ_BYTES);
    const length = trySyscall('read', descriptor, addressOf(piece), READ_BYTES);
    if (length < 0) readFailure(descriptor, errnoName(-length));
    else if (length === 0) return Buffer.concat(pieces);
    else pieces.push(piece.subarray(0, length));
  }
}

function readFailure(descriptor: number, errno: string): void {
  if (isWouldBlock(errno)) waitFor(descriptor, POLLIN);
  else if (errno !== 'EINTR') throw new SystemError('read', errno);
}

function waitFor(descriptor: number, events: number): void {
  syscall('ppoll', addressOf(pollRequest(descriptor, events)), 1);
}

/** The end, too. */
function isSomethingThere(descriptor: number): boolean {
  // struct timespec: not a moment.
  const noTime = fixedBuffer(16);
  return trySyscall('ppoll', addressOf(pollRequest(descriptor, POLLIN)), 1, addressOf(noTime)) > 0;
}

/** struct pollfd: fd, events, revents. */
function pollRequest(descriptor: number, events: number): Uint8Array<ArrayBuffer> {
  const request = fixedBuffer(8);
  const view = new DataView(request.buffer);
  view.setInt32(0, descriptor, true);
  view.setInt16(4, events, true);
  return request;
}

/** Two names of one number. */
function isWouldBlock(errno: string): boolean {
  return errno === 'EAGAIN' || errno === 'EWOULDBLOCK';
}
