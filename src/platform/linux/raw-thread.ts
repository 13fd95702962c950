import { loadAssembly } from './assembly.ts';
import { withSignalsBlocked } from './signal-mask.ts';

/** CLONE_* of include/uapi/linux/sched.h: memory, directory, descriptors, signal handlers, thread, semaphores. */
const THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000;
const WORD_BYTES = 8;

/**
 * Starts a thread that the runtime does not know, for code that uses no library.
 *
 * @param stack Its memory, which stays mapped for as long as the thread lives.
 * @param entry Where it begins. It ends by exit(2): there is nothing to return to.
 * @returns its id, or the errno negated: EAGAIN where a limit of processes allows none, ENOMEM for want of memory.
 */
export function startRawThread(
  stack: { readonly address: number; readonly bytes: Uint8Array<ArrayBuffer> },
  entry: number,
): number {
  // On top of the stack stands where the thread begins (machine-code.ts).
  const top = stack.bytes.length - 2 * WORD_BYTES;
  new DataView(stack.bytes.buffer, stack.bytes.byteOffset).setBigUint64(top, BigInt(entry), true);
  return withSignalsBlocked(() => loadAssembly().clone(THREAD_FLAGS, stack.address + top));
}
