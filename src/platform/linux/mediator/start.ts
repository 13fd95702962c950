import { SystemError } from '../../../errors.ts';
import { keptCapabilityMask } from '../../../sandbox/linux/capabilities.ts';
import { REFUSALS_BYTES } from '../../../sandbox/linux/refusals.ts';
import { type LoadedAssembly, loadAssembly } from '../assembly.ts';
import { AT_PAGESZ, AT_SYSINFO_EHDR, auxiliaryVector } from '../auxiliary.ts';
import { mapMemory } from '../machine-code.ts';
import { makePipe } from '../pipe.ts';
import { withSignalsBlocked } from '../signal-mask.ts';
import { readSmallFile } from '../small-files.ts';
import { addressOf, errnoName, fixedBuffer, syscall } from '../syscalls.ts';
import { loadMediator, type MediatorCode } from './load.ts';
import { memoryBeside, type Range } from './memory-beside.ts';

/**
 * CLONE_* of include/uapi/linux/sched.h: memory, signal handlers, thread, semaphores. Without CLONE_FILES and CLONE_FS it has descriptors
 * and a working directory of its own, so that neither takes the other's place.
 */
const THREAD_FLAGS = 0x100 | 0x800 | 0x10000 | 0x40000;
/** Memory and descriptors, and no signal at its end. */
const APART_FLAGS = 0x100 | 0x400;
/** include/uapi/linux/wait.h */
const P_PID = 1;
const WEXITED = 4;
const WALL = 0x40000000;
/** siginfo_t, and where the status is in it. */
const SIGINFO_BYTES = 128;
const STATUS_AT = 24;

const STACK_BYTES = 64 * 1024;
const PAGE_BYTES = 4096;
const WORD_BYTES = 8;
/** `struct arguments` of main.c: words, and pairs of addresses. */
const LISTENER_AT = 3;
const CHANNEL_AT = 11;
const UNMAPPED_AT = 13;
const UNMAPPED_WORDS = 16;
const REFUSALS_AT = UNMAPPED_AT + UNMAPPED_WORDS;

/** What the kernel mapped for itself: its data are before its code. */
const KERNEL_CODE_BYTES = 16 * 1024;
const KERNEL_DATA_BYTES = 64 * 1024;

/** Where the mediator writes its questions, and where it reads the answers. */
export interface AskingEnds {
  readonly tells: number;
  readonly listens: number;
}

const NOBODY: AskingEnds = { tells: -1, listens: -1 };

/** A mediator that is ready and not started yet. */
export interface PreparedMediator {
  /** Is to go on as a thread of this process, with its own copies of the descriptors. @throws {SystemError} */
  prepareThread(configuration: Uint8Array, asking?: AskingEnds): MediatorThread;
  /**
   * The same as a process, begun before this one is confined: it goes on by itself once it is told of the listener, and ends when
   * this process ends before. Until then it has this process's descriptors.
   *
   * @returns what tells it, and throws where it could not be begun. @throws {SystemError}
   */
  startProcess(configuration: Uint8Array): (listener: number) => void;
}

export interface MediatorThread {
  /** What it notes down: memory that it goes on writing to. */
  readonly refusals: Uint8Array;
  /** Once. @throws {SystemError} */
  start(listener: number): void;
}

export function prepareMediator(): PreparedMediator {
  const mediator = loadMediator();
  const code = loadAssembly();
  return {
    prepareThread(configuration, asking = NOBODY) {
      const placed = new PlacedMediator(mediator, code, configuration);
      placed.prepareThread(asking);
      return {
        refusals: placed.refusals,
        start: (listener) => void clone(code.clone, THREAD_FLAGS, placed.stackFor(placed.tell(listener))),
      };
    },
    startProcess(configuration) {
      const { source: ready, sink: said } = makePipe();
      const placed = new PlacedMediator(mediator, code, configuration);
      const entry = placed.prepareProcess(ready, syscall('pidfd_open', process.pid));
      const between = clone(code.clone, APART_FLAGS, placed.firstStackFor(entry));
      return (listener) => {
        placed.tell(listener);
        // It has ended long since: to wait for that when it was begun took longer than all that has been done meanwhile.
        const end = fixedBuffer(SIGINFO_BYTES);
        syscall('waitid', P_PID, between, addressOf(end), WEXITED | WALL);
        const failure = new DataView(end.buffer).getInt32(STATUS_AT, true);
        if (failure !== 0) throw new SystemError('clone', errnoName(failure));
        syscall('write', said, addressOf(fixedBuffer(1)), 1);
      };
    },
  };
}

/** A mediator's configuration and stacks, in memory that outlives this process. */
class PlacedMediator {
  readonly #mediator: MediatorCode;
  readonly #code: LoadedAssembly;
  readonly #configurationBytes: number;
  readonly #memory: ReturnType<typeof mapMemory>;
  readonly #stacksEnd: number;
  readonly #words = fixedBuffer((REFUSALS_AT + 1) * WORD_BYTES);

  constructor(mediator: MediatorCode, code: LoadedAssembly, configuration: Uint8Array) {
    this.#mediator = mediator;
    this.#code = code;
    this.#configurationBytes = Math.ceil(configuration.length / PAGE_BYTES) * PAGE_BYTES;
    // A page more: the stack of the process between.
    this.#stacksEnd = this.#configurationBytes + PAGE_BYTES + STACK_BYTES;
    this.#memory = mapMemory(this.#stacksEnd + REFUSALS_BYTES);
    this.#memory.bytes.set(configuration);
  }

  get refusals(): Uint8Array {
    return this.#memory.bytes.subarray(this.#stacksEnd);
  }

  /** It is not ready before tell(). */
  prepareThread({ tells, listens }: AskingEnds): void {
    this.#put(0, this.#memory.address, this.#code.system, this.#code.restorer, 0, keptCapabilityMask(), 0);
    this.#put(6, hasEndingWait() ? 1 : 0);
    this.#put(CHANNEL_AT, tells, listens);
    this.#put(REFUSALS_AT, this.#memory.address + this.#stacksEnd);
  }

  prepareProcess(ready: number, starter: number): number {
    this.#put(0, this.#memory.address, this.#code.system, this.#code.restorer, 0, keptCapabilityMask(), 1);
    this.#put(6, hasEndingWait() ? 1 : 0, this.#code.cloneAddress, this.#top(this.#stacksEnd), ready, starter);
    this.#put(CHANNEL_AT, NOBODY.tells, NOBODY.listens);
    const { address, bytes } = this.#memory;
    const auxiliary = auxiliaryVector();
    const kept: readonly Range[] = [
      [this.#mediator.from, this.#mediator.end],
      [this.#code.address, this.#code.address + PAGE_BYTES],
      [address, address + bytes.length],
      ...kernelCode(auxiliary.get(AT_SYSINFO_EHDR)),
    ];
    const gaps = memoryBeside(kept, auxiliary.get(AT_PAGESZ) ?? PAGE_BYTES);
    if (gaps.length >= UNMAPPED_WORDS) throw new RangeError('The memory of the mediator is in too many places');
    this.#put(UNMAPPED_AT, ...gaps);
    return this.#prepare();
  }

  /** @returns where it begins. */
  tell(listener: number): number {
    this.#put(LISTENER_AT, listener);
    return this.#prepare();
  }

  /** A stack on which a thread begins at an address. */
  stackFor(entry: number): number {
    return this.#beginAt(this.#top(this.#stacksEnd), entry);
  }

  /** The same for the process between. */
  firstStackFor(entry: number): number {
    return this.#beginAt(this.#top(this.#configurationBytes + PAGE_BYTES), entry);
  }

  #top(end: number): number {
    return this.#memory.address + end - 2 * WORD_BYTES;
  }

  #beginAt(stack: number, entry: number): number {
    new DataView(this.#memory.bytes.buffer).setBigInt64(stack - this.#memory.address, BigInt(entry), true);
    return stack;
  }

  #put(at: number, ...values: readonly number[]): void {
    const view = new DataView(this.#words.buffer);
    values.forEach((value, index) => view.setBigInt64((at + index) * WORD_BYTES, BigInt(value), true));
  }

  #prepare(): number {
    return this.#mediator.prepare(addressOf(this.#words));
  }
}

/** No handler of the runtime may run on such a stack. @throws {SystemError} */
function clone(run: (flags: number, stack: number) => number, flags: number, stack: number): number {
  const result = withSignalsBlocked(() => run(flags, stack));
  if (result < 0) throw new SystemError('clone', errnoName(-result));
  return result;
}

/** Whether the kernel ends the wait for a request when nobody is left to ask: Linux 6.11 and later. */
function hasEndingWait(): boolean {
  const [major = 0, minor = 0] = readSmallFile('/proc/sys/kernel/osrelease').split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 11);
}

/** What the kernel mapped for itself: the return from a signal may be there. */
function kernelCode(start: number | undefined): readonly Range[] {
  return start === undefined ? [] : [[start - KERNEL_DATA_BYTES, start + KERNEL_CODE_BYTES]];
}
