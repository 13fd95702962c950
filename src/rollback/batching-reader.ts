import type { ContentWorkers, StartContentWorkers, WorkerPlan } from '../ports/content-workers.ts';
import type { ContentReader, ContentTask } from './capture.ts';
import { RESULT_BYTES, type TaskBatch } from './content-wire.ts';
import type { InlineReader } from './inline-reader.ts';
import { HASH_BYTES } from './node-codec.ts';

/** Up to so many tasks are done where they are: threads take longer to start. */
const INLINE_TASKS = 300;
/** Enough that a message costs little for each task, and few enough that no thread idles at the end. */
const BATCH_TASKS = 250;
/** Keeps all threads busy while the walk is in a large directory. */
const WAITING_BATCHES_MAXIMUM = 24;

/** Does the first tasks itself and hands the rest to other threads in batches. */
export class BatchingReader implements ContentReader, AsyncDisposable {
  readonly #inline: InlineReader;
  readonly #start: StartContentWorkers;
  readonly #plan: WorkerPlan;
  readonly #running: Promise<void>[] = [];
  #waiting: ContentTask[] = [];
  /** Memory for results that is free again: thousands of batches would wait for the collector with theirs. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #unfinished = 0;
  #whenRoom: PromiseWithResolvers<void> | undefined;
  #workers: ContentWorkers | undefined;

  constructor(inline: InlineReader, start: StartContentWorkers, plan: WorkerPlan) {
    this.#inline = inline;
    this.#start = start;
    this.#plan = plan;
  }

  submit(task: ContentTask): void {
    this.#waiting.push(task);
    if (this.#waiting.length < (this.#workers === undefined ? INLINE_TASKS : BATCH_TASKS)) return;
    this.#flush();
  }

  #flush(): void {
    this.#workers ??= this.#start(this.#plan);
    const tasks = this.#waiting;
    this.#waiting = [];
    this.#unfinished += 1;
    const into = this.#spare.pop() ?? new Uint8Array(new ArrayBuffer(RESULT_BYTES * INLINE_TASKS));
    const running = this.#settle(tasks, this.#workers.run(encodeBatch(tasks), into)).finally(() => this.#hasFinished());
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

  async finish(): Promise<number> {
    if (this.#workers === undefined) {
      for (const task of this.#waiting) this.#inline.submit(task);
      return this.#inline.finish();
    }
    if (this.#waiting.length > 0) this.#flush();
    await Promise.all(this.#running);
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
    knownHashes: tasks.map(({ knownHash }) => knownHash).join(''),
  };
}

/** The tasks of a batch, for the thread that does them. */
export function* decodeBatch({
  roots,
  paths,
  knownHashes,
}: TaskBatch): Generator<Pick<ContentTask, 'root' | 'path' | 'knownHash'>> {
  const names = paths.split('\0');
  for (const [index, path] of names.entries()) {
    const knownHash = knownHashes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES);
    yield { root: roots[index] as number, path: path as ContentTask['path'], knownHash: knownHash as ContentTask['knownHash'] };
  }
}
