import { SystemError } from '../../errors.ts';

type WorkerName = 'content-worker';

/** Where `bun build --compile` keeps the files of an executable; entry files keep their place below src/. */
const COMPILED_ROOT = '/$bunfs/root/';

/** @throws {SystemError} where a limit of processes, or want of memory, allows no thread. */
export function startWorker(name: WorkerName): Worker {
  try {
    return new Worker(workerFile(name));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new SystemError('clone', 'EAGAIN');
  }
}

/** What a thread begins with: the file of that name beside this one, in the executable or not. */
function workerFile(name: WorkerName): string {
  const isCompiled = import.meta.path.startsWith(COMPILED_ROOT);
  return isCompiled ? `${COMPILED_ROOT}platform/bun/${name}.js` : new URL(`./${name}.ts`, import.meta.url).href;
}
