import type { Bytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { ContentWorkers, StartingWorkers, WorkerOptions } from '../../ports/content-workers.ts';
import type { RestoreBatch, TaskBatch } from '../../rollback/content-wire.ts';
import { createLinuxFiles, descriptorOf } from '../linux/files.ts';
import { Linkers } from '../linux/linkers.ts';
import type { FromWorker, ToWorker } from './content-worker.ts';
import { startWorker } from './worker-file.ts';

/** One for each core up to here: two saturate the file system, and the machine is the user's. */
const WORKERS_MAXIMUM = 4;

interface Waiting {
  readonly resolve: (answer: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

/**
 * As many threads as there are cores, at least two.
 *
 * @param isEager Whether they are sure to be needed, and start at once. What is only taken over needs others (linkers.ts), which start in no time.
 */
export function startContentWorkers(isEager = false): StartingWorkers {
  const threads = new Threads();
  if (isEager) threads.start();
  return threads;
}

class Threads implements StartingWorkers {
  readonly count = Math.max(2, Math.min(WORKERS_MAXIMUM, navigator.hardwareConcurrency));
  readonly #taking = new Set<Taking>();
  #started: readonly Thread[] = [];

  workOn(options: WorkerOptions): ContentWorkers {
    const taking = new Taking(options, this.count);
    this.#taking.add(taking);
    return new Workers(this, options, taking);
  }

  start(): readonly Thread[] {
    if (this.#started.length === 0) this.#started = Array.from({ length: this.count }, () => new Thread());
    return this.#started;
  }

  /** None before start(). */
  get started(): readonly Thread[] {
    return this.#started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ending = [...this.#taking].map((one) => one[Symbol.asyncDispose]());
    await Promise.all([...ending, ...this.#started.map((thread) => thread.end())]);
  }
}

class Workers implements ContentWorkers {
  readonly #threads: Threads;
  readonly #options: WorkerOptions;
  readonly #taking: Taking;
  #isTold = false;

  constructor(threads: Threads, options: WorkerOptions, taking: Taking) {
    this.#threads = threads;
    this.#options = options;
    this.#taking = taking;
  }

  run(batch: TaskBatch, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return resultsOf(this.#toldThreads(), (id) => ({ kind: 'batch', id, batch, into }), [into.buffer]);
  }

  async takeOver(entries: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    const linkers = this.#taking.linkers();
    if (linkers !== undefined) return (await linkers.takeOver(entries)) === 0 ? undefined : entries;
    const results = await resultsOf(this.#toldThreads(), (id) => ({ kind: 'known', id, entries }), [entries.buffer]);
    return results.length === 0 ? undefined : results;
  }

  restore(batch: RestoreBatch): Promise<Uint8Array> {
    return resultsOf(this.#toldThreads(), (id) => ({ kind: 'restore', id, batch }));
  }

  async storedBytes(): Promise<number> {
    if (!this.#isTold) return 0;
    const answers = await Promise.all(this.#threads.started.map((thread) => thread.ask((id) => ({ kind: 'total', id }))));
    return answers.reduce((sum, answer) => sum + (answer.kind === 'total' ? answer.storedBytes : 0), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
  }

  #toldThreads(): readonly Thread[] {
    const threads = this.#threads.start();
    if (this.#isTold) return threads;
    this.#isTold = true;
    for (const [index, thread] of threads.entries())
      thread.work({ kind: 'options', options: this.#options, writer: `${process.pid}-${index}` });
    return threads;
  }
}

/** The threads that take contents over, and the directories that they work in. */
class Taking implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #count: number;
  readonly #opened = new DisposableStack();
  #ended: Promise<void> | undefined;
  /** null before they are asked for. */
  #linkers: Linkers | undefined | null = null;

  constructor(options: WorkerOptions, count: number) {
    this.#options = options;
    this.#count = count;
  }

  /** @returns undefined where there can be none. */
  linkers(): Linkers | undefined {
    const { objects, earlierObjects } = this.#options;
    if (this.#linkers !== null || objects === undefined || earlierObjects === undefined) return this.#linkers ?? undefined;
    const files = createLinuxFiles();
    const open = (path: Bytes) => descriptorOf(this.#opened.use(files.openDirectory(path)));
    this.#linkers = Linkers.start(this.#count, { earlier: open(earlierObjects), objects: open(objects) });
    return this.#linkers;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    const linkers = this.#linkers;
    // From now on there can be none.
    this.#linkers = undefined;
    await linkers?.[Symbol.asyncDispose]();
    this.#opened.dispose();
  }
}

/** Gives the work to the thread that has the least before it. */
async function resultsOf(
  threads: readonly Thread[],
  make: (id: number) => ToWorker,
  given: ArrayBuffer[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const thread = threads.reduce((best, other) => (other.pending < best.pending ? other : best));
  const answer = await thread.ask(make, given);
  if (answer.kind !== 'results') throw new TypeError(`Expected results, got ${answer.kind}`);
  return answer.results;
}

class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #ended: Promise<void> | undefined;

  constructor() {
    this.#worker = startWorker('content-worker');
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#answered(data);
    this.#worker.onerror = ({ message }) => this.#failAll(new Error(`A thread that reads contents ended: ${message}`));
  }

  /** Sends what no answer comes to. */
  work(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  get pending(): number {
    return this.#waiting.size;
  }

  /** @param given Memory that goes over to the thread. */
  ask(make: (id: number) => ToWorker, given: ArrayBuffer[] = []): Promise<FromWorker> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(make(id), given);
    });
  }

  /** Resolves when the thread writes nothing any more: what it has stored may be removed then. */
  end(): Promise<void> {
    this.#ended ??= this.#terminate();
    return this.#ended;
  }

  async #terminate(): Promise<void> {
    if (this.#waiting.size === 0) {
      // It has answered everything, and to take an engine down takes longer than many a snapshot.
      this.#worker.terminate();
      return;
    }
    const closed = new Promise((resolve) => {
      this.#worker.addEventListener('close', resolve, { once: true });
    });
    this.#worker.terminate();
    this.#failAll(new Error('The threads that read contents were ended before they answered'));
    await closed;
  }

  #answered(answer: FromWorker): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind !== 'failed') waiting?.resolve(answer);
    else waiting?.reject(answer.errno === '' ? new Error(answer.message) : new SystemError(answer.call, answer.errno));
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
