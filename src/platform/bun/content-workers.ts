import { SystemError } from '../../errors.ts';
import type { ContentWorkers, StartingWorkers } from '../../ports/content-workers.ts';
import type { FromWorker, ToWorker } from './content-worker.ts';
import { startWorker } from './worker-file.ts';

/** One for each core up to here: two saturate the file system, and the machine is the user's. */
const WORKERS_MAXIMUM = 4;

interface Waiting {
  readonly resolve: (answer: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

/** Starts as many threads as there are cores, at least two. */
export function startContentWorkers(): StartingWorkers {
  const count = Math.max(2, Math.min(WORKERS_MAXIMUM, navigator.hardwareConcurrency));
  const threads = Array.from({ length: count }, () => new Thread());
  const end = async () => {
    await Promise.all(threads.map((thread) => thread.end()));
  };
  return {
    workOn(plan) {
      for (const [index, thread] of threads.entries()) thread.work({ kind: 'plan', plan, writer: `${process.pid}-${index}` });
      return workersOf(threads, end);
    },
    [Symbol.asyncDispose]: end,
  };
}

function workersOf(threads: readonly Thread[], end: () => Promise<void>): ContentWorkers {
  return {
    run: (batch, into) => resultsOf(threads, (id) => ({ kind: 'batch', id, batch, into }), [into.buffer]),
    async takeOver(entries) {
      const results = await resultsOf(threads, (id) => ({ kind: 'known', id, entries }), [entries.buffer]);
      return results.length === 0 ? undefined : results;
    },
    restore: (batch) => resultsOf(threads, (id) => ({ kind: 'restore', id, batch })),
    async storedBytes() {
      const answers = await Promise.all(threads.map((thread) => thread.ask((id) => ({ kind: 'total', id }))));
      return answers.reduce((sum, answer) => sum + (answer.kind === 'total' ? answer.storedBytes : 0), 0);
    },
    [Symbol.asyncDispose]: end,
  };
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
