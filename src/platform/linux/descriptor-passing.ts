import { SystemError } from '../../errors.ts';
import type { HandOver } from '../../ports/sandbox-host.ts';
import { forkCalls } from './forked-calls.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** struct msghdr: name, its length, vector, its length, control, its length, flags; eight bytes each. */
const HEADER_BYTES = 56;
const VECTOR_AT = 16;
const CONTROL_AT = 32;
/** struct cmsghdr: length, level, type; then the descriptor. */
const CONTROL_BYTES = 24;
const CONTROL_LENGTH = 20;
const DESCRIPTOR_AT = 16;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** include/linux/socket.h */
const MSG_CMSG_CLOEXEC = 0x40000000;

/** Memory of one message; it is kept until the call has been made. */
class Message {
  readonly #header = fixedBuffer(HEADER_BYTES);
  readonly #vector = fixedBuffer(16);
  readonly #data: Uint8Array;
  readonly #control = fixedBuffer(CONTROL_BYTES);

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#put(this.#vector, 0, addressOf(data));
    this.#put(this.#vector, 8, data.length);
    this.#put(this.#header, VECTOR_AT, addressOf(this.#vector));
    this.#put(this.#header, VECTOR_AT + 8, 1);
    this.#put(this.#header, CONTROL_AT, addressOf(this.#control));
    this.#put(this.#header, CONTROL_AT + 8, CONTROL_BYTES);
  }

  send(socket: number, descriptor: number): void {
    syscall('sendmsg', socket, this.prepare(descriptor));
  }

  /** @returns the address of what sendmsg(2) is given. */
  prepare(descriptor: number): number {
    this.#put(this.#control, 0, CONTROL_LENGTH);
    const view = new DataView(this.#control.buffer);
    view.setInt32(8, SOL_SOCKET, true);
    view.setInt32(12, SCM_RIGHTS, true);
    view.setInt32(DESCRIPTOR_AT, descriptor, true);
    return addressOf(this.#header);
  }

  /** @returns the length of the data, or the errno negated. */
  receive(socket: number): number {
    return trySyscall('recvmsg', socket, addressOf(this.#header), MSG_CMSG_CLOEXEC);
  }

  get data(): Uint8Array {
    return this.#data;
  }

  get descriptor(): number | undefined {
    const view = new DataView(this.#control.buffer);
    const isOne = view.getInt32(0, true) === CONTROL_LENGTH && view.getInt32(12, true) === SCM_RIGHTS;
    return isOne ? view.getInt32(DESCRIPTOR_AT, true) : undefined;
  }

  #put(memory: Uint8Array<ArrayBuffer>, at: number, value: number): void {
    new DataView(memory.buffer).setBigInt64(at, BigInt(value), true);
  }
}

/** Sends a descriptor with data, at least one byte. @throws {SystemError} */
function sendDescriptor(socket: number, descriptor: number, data: Uint8Array): void {
  new Message(data).send(socket, descriptor);
}

/** What sendmsg(2) takes of a socket pair at most, whatever its limits (net.core.wmem_default) are. */
const SAFE_BYTES = 128 * 1024;
/** include/uapi/linux/fcntl.h */
const F_DUPFD_CLOEXEC = 1030;
const FIRST_EXTRA_DESCRIPTOR = 3;
/** include/uapi/linux/sched.h */
const CLONE_FILES = 0x400;
/** include/uapi/linux/wait.h */
const P_PID = 1;
const WEXITED = 4;
const WALL = 0x40000000;
const SIGINFO_BYTES = 128;

/**
 * The same for a process that will not be able to send any more, because a filter hands that to somebody who does not have
 * the descriptor yet: another one, without that filter and with the same descriptors, waits to do it.
 *
 * @returns what sends it, once.
 * @throws {SystemError}
 */
function prepareSendDescriptor(socket: number, data: Uint8Array): (descriptor: number) => void {
  if (data.length > SAFE_BYTES) throw new SystemError('sendmsg', 'EMSGSIZE');
  const message = new Message(data);
  const ends = fixedBuffer(8);
  syscall('pipe2', addressOf(ends), uapi.O_CLOEXEC);
  const view = new DataView(ends.buffer);
  const [source, sink] = [view.getInt32(0, true), view.getInt32(4, true)];
  // Its number is the descriptor's to be.
  const reserved = syscall('fcntl', source, F_DUPFD_CLOEXEC, FIRST_EXTRA_DESCRIPTOR);
  const byte = fixedBuffer(8);
  const pid = forkCalls(
    [
      ['read', source, addressOf(byte), 1],
      ['sendmsg', socket, message.prepare(reserved), 0],
      ['exit_group', 0],
    ],
    CLONE_FILES,
  );
  return (descriptor) => {
    syscall('dup3', descriptor, reserved, uapi.O_CLOEXEC);
    syscall('write', sink, addressOf(byte), 1);
    syscall('waitid', P_PID, pid, addressOf(fixedBuffer(SIGINFO_BYTES)), WEXITED | WALL);
    for (const used of [reserved, source, sink]) syscall('close', used);
  };
}

/** Hands a listener over on this socket. @see HandOver */
export function handOverOn(socket: number, data: Uint8Array): HandOver {
  return (mediatesSends) =>
    mediatesSends ? prepareSendDescriptor(socket, data) : (listener) => sendDescriptor(socket, listener, data);
}

export interface Received {
  /** Empty at the end. */
  readonly data: Uint8Array;
  readonly descriptor: number | undefined;
}

/** What comes next, or the errno negated. */
export function receive(socket: number, sizeBytes: number): Received | number {
  const message = new Message(fixedBuffer(sizeBytes));
  const length = message.receive(socket);
  if (length < 0) return length;
  return { data: message.data.subarray(0, length), descriptor: length === 0 ? undefined : message.descriptor };
}
