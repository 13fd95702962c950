import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

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
    this.#put(this.#control, 0, CONTROL_LENGTH);
    const view = new DataView(this.#control.buffer);
    view.setInt32(8, SOL_SOCKET, true);
    view.setInt32(12, SCM_RIGHTS, true);
    view.setInt32(DESCRIPTOR_AT, descriptor, true);
    syscall('sendmsg', socket, addressOf(this.#header));
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
export function sendDescriptor(socket: number, descriptor: number, data: Uint8Array): void {
  new Message(data).send(socket, descriptor);
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
