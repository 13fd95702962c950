import { loadBulkFiles } from './bulk-files.ts';
import { followDescriptor, writeAll } from './channel.ts';
import { mapMemory } from './machine-code.ts';
import { makePipe } from './pipe.ts';
import { startRawThread } from './raw-thread.ts';
import { addressOf, syscall } from './syscalls.ts';

const STACK_BYTES = 16 * 1024;
/** `struct link_order` and `struct link_answer` of bulk/link.c. */
const ORDER_BYTES = 24;
const ANSWER_BYTES = 8;
/** In the place of a number: a thread has ended. */
const LINKER_ENDED = 2 ** 32 - 1;
/**
 * Orders that are on their way at once: they and their answers have room in the smallest pipe, one page. Full pipes would let this thread wait for one that
 * reads orders, and that for this one to read its answers.
 */
const ORDERS_AT_ONCE = 128;

/** The descriptors of `objects/` of the earlier session and of the one that takes over. */
export interface LinkedDirectories {
  readonly earlier: number;
  readonly objects: number;
}

interface Ordered {
  /** Kept for as long as a thread reads and marks it. */
  readonly entries: Uint8Array<ArrayBuffer>;
  readonly resolve: (left: number) => void;
}

type Pipe = ReturnType<typeof makePipe>;

/** Threads of a few system calls that link contents from one session into another (bulk/link.c). */
export class Linkers implements AsyncDisposable {
  readonly #directories: LinkedDirectories;
  /** Those on their way. */
  readonly #ordered = new Map<number, Ordered>();
  /** Those that wait until fewer are on their way. */
  readonly #waiting: Ordered[] = [];
  readonly #queue: Pipe;
  readonly #answers: Pipe;
  readonly #following: Disposable;
  #threadCount: number;
  /** Pieces of answers that are not whole yet. */
  #rest = Buffer.alloc(0);
  #nextNumber = 0;
  #allOrdered: PromiseWithResolvers<void> | undefined;
  readonly #ended = Promise.withResolvers<void>();

  /** @returns undefined where the compiler in the runtime does not work, or the system refuses threads. */
  static start(count: number, directories: LinkedDirectories): Linkers | undefined {
    const { link_prepare: prepare } = loadBulkFiles() ?? {};
    if (prepare === undefined) return undefined;
    const queue = makePipe();
    const answers = makePipe();
    const entry = prepare(queue.source, answers.sink);
    // Their stacks stay mapped: nobody can tell when a thread that has ended has left its own.
    const isStarted = () => startRawThread(mapMemory(STACK_BYTES), entry) >= 0;
    const started = Array.from({ length: count }).filter(isStarted).length;
    if (started > 0) return new Linkers(directories, queue, answers, started);
    for (const end of [queue.source, queue.sink, answers.source, answers.sink]) syscall('close', end);
    return undefined;
  }

  private constructor(directories: LinkedDirectories, queue: Pipe, answers: Pipe, threadCount: number) {
    this.#directories = directories;
    this.#queue = queue;
    this.#answers = answers;
    this.#threadCount = threadCount;
    this.#following = followDescriptor(answers.source, (data) => this.#answered(data));
  }

  /** Takes over the contents of entries (known-contents.ts), marks those that it could not. @returns how many those are. */
  takeOver(entries: Uint8Array<ArrayBuffer>): Promise<number> {
    if (entries.length === 0) return Promise.resolve(0);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.push({ entries, resolve });
    this.#orderMore();
    return promise;
  }

  #orderMore(): void {
    while (this.#ordered.size < ORDERS_AT_ONCE) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#order(next);
    }
  }

  #order(ordered: Ordered): void {
    const { entries } = ordered;
    const number = this.#nextNumber++;
    this.#ordered.set(number, ordered);
    const order = Buffer.alloc(ORDER_BYTES);
    order.writeBigUInt64LE(BigInt(addressOf(entries)), 0);
    order.writeUInt32LE(entries.length, 8);
    order.writeUInt32LE(number, 12);
    order.writeInt32LE(this.#directories.earlier, 16);
    order.writeInt32LE(this.#directories.objects, 20);
    writeAll(this.#queue.sink, order);
  }

  /** Resolves when no thread links anything any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#whenAllOrdered();
    // They end when all is done that was ordered, and there is nobody left who could order more.
    syscall('close', this.#queue.sink);
    await this.#ended.promise;
    this.#following[Symbol.dispose]();
    for (const end of [this.#queue.source, this.#answers.source, this.#answers.sink]) syscall('close', end);
  }

  async #whenAllOrdered(): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#allOrdered = Promise.withResolvers();
    await this.#allOrdered.promise;
  }

  #answered(data: Uint8Array): void {
    const answers = Buffer.concat([this.#rest, data]);
    let at = 0;
    for (; at + ANSWER_BYTES <= answers.length; at += ANSWER_BYTES) {
      const number = answers.readUInt32LE(at);
      if (number === LINKER_ENDED) this.#threadCount -= 1;
      this.#ordered.get(number)?.resolve(answers.readInt32LE(at + 4));
      this.#ordered.delete(number);
    }
    this.#rest = answers.subarray(at);
    this.#orderMore();
    if (this.#waiting.length === 0) this.#allOrdered?.resolve();
    if (this.#threadCount === 0) this.#ended.resolve();
  }
}
