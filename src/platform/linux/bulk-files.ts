import source from './bulk-files.c' with { type: 'text' };
import { compileC } from './compile-c.ts';
import { libcAddresses, syscallNumber } from './syscalls.ts';

/** In the order of the enumeration in bulk-files.c. */
const CALLS = [
  'openat2',
  'read',
  'statx',
  'close',
  'openat',
  'write',
  'mkdirat',
  'linkat',
  'unlinkat',
  'renameat2',
  'getdents64',
  'lseek',
  'fchmod',
  'utimensat',
] as const;

/** What list_directory() gives when its memory is too small. */
export const NO_ROOM = -100_000;

/** The functions of bulk-files.c, which says what they take. */
export type BulkFiles = ReturnType<typeof compile>;

/**
 * Compiles them: 6 ms, so it is for a thread that has hundreds of files before it.
 *
 * @returns undefined where the compiler in the runtime does not work: then everything is done the long way.
 */
export function compileBulkFiles(): BulkFiles | undefined {
  try {
    return compile();
  } catch (error) {
    // Not every build of the runtime has the compiler, and it does not know every processor: it says so by plain errors.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function compile() {
  const symbols = compileC('bulk-files.c', source, {
    set_up: { args: ['ptr', 'ptr', 'ptr'], returns: 'void' },
    read_files: { args: ['i32', 'ptr', 'i32', 'ptr', 'ptr', 'u32', 'u32', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
    store_objects: { args: ['i32', 'i32', 'ptr', 'u32', 'ptr', 'ptr', 'ptr', 'i32'], returns: 'f64' },
    list_directory: { args: ['i32', 'ptr', 'u32', 'ptr', 'u32', 'ptr', 'i32'], returns: 'i32' },
    read_objects: { args: ['i32', 'ptr', 'i32', 'ptr', 'ptr', 'u32', 'u32', 'ptr'], returns: 'i32' },
    make_files: { args: ['i32', 'ptr', 'ptr', 'i32', 'ptr', 'ptr', 'ptr', 'i32', 'i32', 'ptr'], returns: 'void' },
    link_known: { args: ['i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
  });
  const numbers = BigInt64Array.from(CALLS, (call) => BigInt(syscallNumber(call)));
  const libc = libcAddresses();
  symbols.set_up(numbers, libc.syscall, libc.errnoLocation);
  return symbols;
}
