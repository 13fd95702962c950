import { SystemError } from '../../errors.ts';
import { followDescriptor } from './channel.ts';
import type { AskingEnds } from './mediator/start.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** include/linux/net.h; O_CLOEXEC is a bit of the type. The second keeps the bounds of messages. */
const SOCK_STREAM_PRIVATE = 0x80001;
const SOCK_SEQPACKET_PRIVATE = 0x80005;
const AF_UNIX = 1;

/** A mediator that is asked something looks at what it is told within this time. */
const SEND_AGAIN_MS = 5;

/** What the mediator's thread asks, and what it is told. Neither side ever waits for the other. */
export class AskChannel implements Disposable {
  /** Questions come as a stream, because the loop may read several at once; each answer is one message. */
  readonly #questions = socketPair(SOCK_STREAM_PRIVATE);
  readonly #answers = socketPair(SOCK_SEQPACKET_PRIVATE);
  readonly #following: Disposable;
  #waiting: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onQuestions: (data: Uint8Array) => void) {
    syscall('fcntl', this.#answers[0], uapi.F_SETFL, uapi.O_NONBLOCK);
    this.#following = followDescriptor(this.#questions[0], onQuestions);
  }

  /** For the thread, which gets copies of its own. */
  get others(): AskingEnds {
    return { tells: this.#questions[1], listens: this.#answers[1] };
  }

  closeOthers(): void {
    for (const [, other] of [this.#questions, this.#answers]) syscall('close', other);
  }

  send(message: Uint8Array): void {
    this.#waiting.push(message);
    if (this.#timer === undefined) this.#flush();
  }

  #flush(): void {
    this.#timer = undefined;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const result = trySyscall('write', this.#answers[0], addressOf(first), first.length);
      const errno = result < 0 ? errnoName(-result) : undefined;
      if (errno === 'EAGAIN' || errno === 'EWOULDBLOCK' || errno === 'EINTR') {
        this.#timer = setTimeout(() => this.#flush(), SEND_AGAIN_MS);
        return;
      }
      // Nobody is left who asked.
      if (errno !== undefined && errno !== 'EPIPE' && errno !== 'ECONNRESET') throw new SystemError('write', errno);
      this.#waiting = this.#waiting.slice(1);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#following[Symbol.dispose]();
    syscall('close', this.#answers[0]);
  }
}

function socketPair(type: number): readonly [own: number, other: number] {
  const pair = fixedBuffer(8);
  syscall('socketpair', AF_UNIX, type, 0, addressOf(pair));
  const view = new DataView(pair.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}
