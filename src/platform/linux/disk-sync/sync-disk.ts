import type { Bytes } from '../../../bytes.ts';
import { SystemError } from '../../../errors.ts';
import { loadAssembly } from '../assembly.ts';
import { followDescriptor } from '../channel.ts';
import { createLinuxFiles, descriptorOf } from '../files.ts';
import { mapMemory } from '../machine-code.ts';
import { makePipe } from '../pipe.ts';
import { startRawThread } from '../raw-thread.ts';
import { errnoName, trySyscall } from '../syscalls.ts';
import { loadSync } from './load.ts';

const STACK_BYTES = 8192;

/** Where a thread of sync.c works. */
interface Place {
  readonly address: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: BigInt64Array;
  threadId: number;
}

let place: Place | undefined;
let last: Promise<unknown> = Promise.resolve();

/** syncfs(2) in a thread of its own, in this one where there can be no other; one after the other, since it is the disk that they wait for. */
export function syncDiskInThread(directory: Bytes): Promise<void> {
  const done = last.then(() => sync(directory));
  last = done.catch(() => undefined);
  return done;
}

async function sync(path: Bytes): Promise<void> {
  using owned = new DisposableStack();
  const directory = owned.use(createLinuxFiles().openDirectory(path));
  const { source, sink } = makePipe();
  for (const end of [source, sink]) owned.adopt(end, () => void trySyscall('close', end));
  if (!startThread(descriptorOf(directory), sink)) {
    directory.syncFileSystem();
    return;
  }
  const result = await resultFrom(source, owned);
  if (result < 0) throw new SystemError('syncfs', errnoName(-result), path);
}

/** @returns false where a limit of processes, or want of memory, allows none. */
function startThread(directory: number, tell: number): boolean {
  place = emptyPlace();
  place.words.set([BigInt(loadAssembly().system), BigInt(directory), BigInt(tell)]);
  const threadId = startRawThread(place, loadSync()(place.address));
  place.threadId = Math.max(0, threadId);
  return threadId >= 0;
}

/** The last one's, unless its thread, which has told its result, still stands between that and its end. */
function emptyPlace(): Place {
  if (place !== undefined && trySyscall('tgkill', process.pid, place.threadId, 0) < 0) return place;
  const { address, bytes } = mapMemory(STACK_BYTES);
  return { address, bytes, words: new BigInt64Array(bytes.buffer), threadId: 0 };
}

function resultFrom(descriptor: number, owned: DisposableStack): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  // Written at once: it comes in one piece.
  owned.use(followDescriptor(descriptor, (data) => resolve(Number(Buffer.from(data).readBigInt64LE()))));
  return promise;
}
