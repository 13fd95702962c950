import type { ContentWorkers, StartContentWorkers, WorkerOptions } from '../ports/content-workers.ts';
import type { ContentReader, ContentTask, KnownContents } from './content-reader.ts';
import { RESULT_BYTES, type TaskBatch } from './content-wire.ts';
import type { InlineReader } from './inline-reader.ts';
import { knownFiles, NOT_TAKEN_OVER } from './known-contents.ts';
import { FIELD, NODE_HEADER_BYTES } from './node-codec.ts';

/** Up to so many tasks are done where they are: threads take longer to start. */
const INLINE_TASKS = 300;
/** Enough that a message costs little for each task, and few enough that no thread idles at the end. */
const BATCH_TASKS = 250;
/** The same for what is only taken over, in bytes of nodes: the entries of some hundred files. */
const BATCH_BYTES = 64 * 1024;
/** Keeps all threads busy while the walk is in a large directory. */
const WAITING_BATCHES_MAXIMUM = 24;

/** Does the first tasks itself and hands the rest to other threads in batches. */
export class BatchingReader implements ContentReader, AsyncDisposable {
  readonly #inline: InlineReader;
  readonly #start: StartContentWorkers;
  readonly #options: WorkerOptions;
  readonly #running: Promise<void>[] = [];
  #waiting: ContentTask[] = [];
  #waitingKnown: KnownContents[] = [];
  #waitingKnownBytes = 0;
  /** Memory for results that is free again: thousands of batches would wait for the collector with theirs. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #unfinished = 0;
  #whenRoom: PromiseWithResolvers<void> | undefined;
  #workers: ContentWorkers | undefined;

  constructor(inline: InlineReader, start: StartContentWorkers, options: WorkerOptions) {
    this.#inline = inline;
    this.#start = start;
    this.#options = options;
  }

  submit(task: ContentTask): void {
    this.#waiting.push(task);
    if (this.#waiting.length < (this.#workers === undefined ? INLINE_TASKS : BATCH_TASKS)) return;
    this.#flush();
  }

  takeOver(known: KnownContents): void {
    if (this.#options.objects === undefined) {
      known.onDone();
      return;
    }
    this.#waitingKnown.push(known);
    this.#waitingKnownBytes += known.node.length - NODE_HEADER_BYTES;
    // Before any content of these nodes is settled, so that threads see them as they were handed over.
    if (this.#waitingKnownBytes >= BATCH_BYTES) this.#flushKnown();
  }

  #flush(): void {
    // A content that is read gives its entry a hash: what is to be taken over has to be told from it before.
    if (this.#waitingKnown.length > 0) this.#flushKnown();
    const tasks = this.#waiting;
    this.#waiting = [];
    const into = this.#spare.pop() ?? new Uint8Array(new ArrayBuffer(RESULT_BYTES * INLINE_TASKS));
    this.#follow(this.#settle(tasks, this.#startWorkers().run(encodeBatch(tasks), into)));
  }

  #flushKnown(): void {
    const known = this.#waitingKnown;
    const entries = Buffer.from(new ArrayBuffer(this.#waitingKnownBytes));
    this.#waitingKnown = [];
    this.#waitingKnownBytes = 0;
    let length = 0;
    for (const { node } of known) length += node.copy(entries, length, NODE_HEADER_BYTES);
    const running = this.#startWorkers().takeOver(new Uint8Array(entries.buffer));
    this.#follow(this.#readRest(known, running));
  }

  #startWorkers(): ContentWorkers {
    this.#workers ??= this.#start().workOn(this.#options);
    return this.#workers;
  }

  #follow(work: Promise<void>): void {
    this.#unfinished += 1;
    const running = work.finally(() => this.#hasFinished());
    // Handled in finish(); without this a failure before it would count as unhandled.
    running.catch(() => undefined);
    this.#running.push(running);
  }

  async #settle(tasks: readonly ContentTask[], running: Promise<Uint8Array<ArrayBuffer>>): Promise<void> {
    const results = await running;
    const records = Buffer.from(results.buffer, results.byteOffset, results.byteLength);
    let at = 0;
    for (const { sink, position } of tasks) {
      sink.settle(position, records, at);
      at += RESULT_BYTES;
    }
    this.#spare.push(results);
  }

  /** Has the contents read that the earlier session did not have. */
  async #readRest(known: readonly KnownContents[], running: Promise<Uint8Array | undefined>): Promise<void> {
    const answer = await running;
    if (answer !== undefined) this.#submitRest(known, Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
    for (const { onDone } of known) onDone();
  }

  #submitRest(known: readonly KnownContents[], entries: Buffer): void {
    let start = 0;
    for (const { node, taskAt } of known) {
      const end = start + node.length - NODE_HEADER_BYTES;
      for (const at of knownFiles(entries, start, end)) {
        if (entries[at + FIELD.reason] === NOT_TAKEN_OVER) this.submit(taskAt(at - start + NODE_HEADER_BYTES));
      }
      start = end;
    }
  }

  #hasFinished(): void {
    this.#unfinished -= 1;
    if (this.#unfinished >= WAITING_BATCHES_MAXIMUM) return;
    this.#whenRoom?.resolve();
    this.#whenRoom = undefined;
  }

  room(): Promise<void> | undefined {
    if (this.#unfinished < WAITING_BATCHES_MAXIMUM) return undefined;
    this.#whenRoom ??= Promise.withResolvers();
    return this.#whenRoom.promise;
  }

  async finish(onWait: () => void = () => undefined): Promise<number> {
    if (this.#workers === undefined) {
      for (const known of this.#waitingKnown) this.#inline.takeOver(known);
      for (const task of this.#waiting) this.#inline.submit(task);
      return this.#inline.finish();
    }
    // What could not be taken over is read: then there is more to wait for.
    while (this.#waitingKnown.length > 0 || this.#waiting.length > 0 || this.#running.length > 0) {
      if (this.#waitingKnown.length > 0) this.#flushKnown();
      if (this.#waiting.length > 0) this.#flush();
      const running = this.#running.splice(0);
      onWait();
      await Promise.all(running.map((work) => work.then(onWait)));
    }
    return await this.#workers.storedBytes();
  }

  /** Ends the threads, also when the work was not finished: they would keep the process alive. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#workers?.[Symbol.asyncDispose]();
    await this.#inline[Symbol.asyncDispose]();
  }
}

function encodeBatch(tasks: readonly ContentTask[]): TaskBatch {
  return {
    roots: Uint32Array.from(tasks, ({ root }) => root),
    paths: tasks.map(({ path }) => path).join('\0'),
  };
}

/** The tasks of a batch, for the thread that does them. */
export function decodeBatch({ roots, paths }: TaskBatch): Pick<ContentTask, 'root' | 'path'>[] {
  return paths.split('\0').map((path, index) => ({ root: roots[index] as number, path: path as ContentTask['path'] }));
}
