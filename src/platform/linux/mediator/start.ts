import { SystemError } from '../../../errors.ts';
import { keptCapabilityMask } from '../../../sandbox/linux/capabilities.ts';
import { mapMemory } from '../machine-code.ts';
import { readSmallFile } from '../small-files.ts';
import { addressOf, errnoName, fixedBuffer, syscall } from '../syscalls.ts';
import { compileMediator } from './compile.ts';
import { loadMachineCode } from './machine-code.ts';

/**
 * CLONE_* of include/uapi/linux/sched.h: memory, signal handlers, thread, semaphores. Without CLONE_FILES and CLONE_FS it has descriptors
 * and a working directory of its own, so that neither takes the other's place.
 */
const THREAD_FLAGS = 0x100 | 0x800 | 0x10000 | 0x40000;
/** Its parent's memory until it forks, and SIGCHLD at its end. */
const PROCESS_FLAGS = 0x100 | 17;
/** include/uapi/asm-generic/signal-defs.h */
const SIG_SETMASK = 2;
const SIGNAL_SET_BYTES = 8;

const STACK_BYTES = 64 * 1024;
const PAGE_BYTES = 4096;
const WORD_BYTES = 8;
/** `struct arguments` of loop.c: an address that it fills in, seven words, and pairs of addresses. */
const ARGUMENT_WORDS = 24;
const UNMAPPED_AT = 8;
/** Behind the last of the mediator's data, for what a compiler puts there. */
const MARGIN_BYTES = 16 * 1024;
const UNMAPPED_WORDS = 16;

/** A mediator that is compiled and not started yet. */
export interface PreparedMediator {
  /** Goes on as a thread of this process, with its own copy of the listener. @throws {SystemError} */
  startThread(configuration: Uint8Array, listener: number): void;
  /** The same as a process, whose parent may end. @throws {SystemError} */
  startProcess(configuration: Uint8Array, listener: number): void;
}

export function prepareMediator(): PreparedMediator {
  const prepare = compileMediator();
  const code = loadMachineCode();

  function start(configuration: Uint8Array, listener: number, flags: number): void {
    const isProcess = flags === PROCESS_FLAGS;
    const configurationBytes = Math.ceil(configuration.length / PAGE_BYTES) * PAGE_BYTES;
    const memory = mapMemory(configurationBytes + STACK_BYTES);
    memory.bytes.set(configuration);
    const words = fixedBuffer(ARGUMENT_WORDS * WORD_BYTES);
    const view = new DataView(words.buffer);
    const put = (at: number, ...values: readonly number[]): void =>
      values.forEach((value, index) => view.setBigInt64((at + index) * WORD_BYTES, BigInt(value), true));
    put(
      0,
      0,
      memory.address,
      code.system,
      code.restorer,
      listener,
      keptCapabilityMask(),
      isProcess ? 1 : 0,
      hasEndingWait() ? 1 : 0,
    );
    const entry = prepare(addressOf(words));
    if (isProcess) {
      const end = Math.ceil((Number(view.getBigInt64(0, true)) + MARGIN_BYTES) / PAGE_BYTES) * PAGE_BYTES;
      const gaps = memoryBeside([
        [mappingOf(entry), end],
        [code.address, code.address + PAGE_BYTES],
        [memory.address, memory.address + memory.bytes.length],
        ...kernelMappings(),
      ]);
      if (gaps.length > UNMAPPED_WORDS - 2) throw new RangeError('The memory of the mediator is in too many places');
      put(UNMAPPED_AT, ...gaps);
      prepare(addressOf(words));
    }
    const stack = configurationBytes + STACK_BYTES - 2 * WORD_BYTES;
    new DataView(memory.bytes.buffer).setBigInt64(stack, BigInt(entry), true);
    // No handler of the runtime may run on that stack.
    const result = withSignalsBlocked(() => code.clone(flags, memory.address + stack));
    if (result < 0) throw new SystemError('clone', errnoName(-result));
  }
  return {
    startThread: (configuration, listener) => start(configuration, listener, THREAD_FLAGS),
    startProcess: (configuration, listener) => start(configuration, listener, PROCESS_FLAGS),
  };
}

/** Whether the kernel ends the wait for a request when nobody is left to ask: Linux 6.11 and later. */
function hasEndingWait(): boolean {
  const [major = 0, minor = 0] = readSmallFile('/proc/sys/kernel/osrelease').split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 11);
}

function withSignalsBlocked<T>(act: () => T): T {
  const all = fixedBuffer(SIGNAL_SET_BYTES).fill(0xff);
  const before = fixedBuffer(SIGNAL_SET_BYTES);
  syscall('rt_sigprocmask', SIG_SETMASK, addressOf(all), addressOf(before), SIGNAL_SET_BYTES);
  try {
    return act();
  } finally {
    syscall('rt_sigprocmask', SIG_SETMASK, addressOf(before), 0, SIGNAL_SET_BYTES);
  }
}

type Range = readonly [from: number, end: number];

/**
 * The memory of this process without what is kept: pairs of first address and end. Also where there is nothing at all,
 * because other threads map memory meanwhile.
 */
function memoryBeside(kept: readonly Range[]): readonly number[] {
  const gaps: number[] = [];
  let from = PAGE_BYTES;
  for (const [start, end] of kept.toSorted(([a], [b]) => a - b)) {
    if (start > from) gaps.push(from, start);
    from = Math.max(from, end);
  }
  const last = Math.max(...mappings().map(([[, end]]) => end));
  return last > from ? [...gaps, from, last] : gaps;
}

/** Where the mapping begins that holds the mediator's code, and behind it its data. */
function mappingOf(address: number): number {
  return mappings().find(([[start, end]]) => address >= start && address < end)?.[0][0] ?? address;
}

const KERNEL_MAPPING_REGEXP = /\[(?:vdso|vvar|vvar_vclock)\]$/;

/** What the kernel mapped for itself: the return from a signal may be there. */
function kernelMappings(): readonly Range[] {
  return mappings().flatMap(([range, line]) => (KERNEL_MAPPING_REGEXP.test(line) ? [range] : []));
}

/** Ascending; without the page of old system calls that x64 has above all memory. */
function mappings(): readonly (readonly [Range, string])[] {
  return readSmallFile('/proc/self/maps')
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('[vsyscall]'))
    .map((line) => {
      const [from = '', end = ''] = line.split(' ', 1)[0]?.split('-') ?? [];
      return [[Number.parseInt(from, 16), Number.parseInt(end, 16)], line] as const;
    });
}
