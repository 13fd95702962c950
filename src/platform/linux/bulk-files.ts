import { ownIds } from '../node/own-mode.ts';
import { loadAssembly } from './assembly.ts';
import base from './bulk/base.c' with { type: 'text' };
import table from './bulk/functions.c' with { type: 'text' };
import link from './bulk/link.c' with { type: 'text' };
import listing from './bulk/listing.c' with { type: 'text' };
import make from './bulk/make.c' with { type: 'text' };
import nodes from './bulk/nodes.c' with { type: 'text' };
import objects from './bulk/objects.c' with { type: 'text' };
import read from './bulk/read.c' with { type: 'text' };
import type { PlacedCode } from './code-image.ts';
import { ADDRESS, DOUBLE, type ForeignSymbol, functionAt, functionsAt, INT, UNSIGNED, VOID } from './foreign.ts';
import { compilePlaced, entryOf, placedCode } from './placed-code.ts';
import type { SyscallName } from './syscalls.ts';

/** Replaced where an x64 builds for x64: encodeImage() of bulk/*.c. */
declare const NONO_BULK_FILES_IMAGE: string | undefined;

/** The calls of bulk/*.c. */
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
  'exit',
] as const satisfies readonly SyscallName[];

/** What list_directory() gives when its memory is too small, that for names in particular. */
export const NO_ROOM = -100_000;
export const NO_ROOM_FOR_NAMES = -100_001;

/** In the order of bulk_function() of functions.c, whose files say what they take. */
const FUNCTIONS = {
  set_up: { args: [ADDRESS, UNSIGNED, INT, UNSIGNED, UNSIGNED], returns: VOID },
  read_files: {
    args: [INT, ADDRESS, INT, ADDRESS, ADDRESS, UNSIGNED, UNSIGNED, ADDRESS, ADDRESS, ADDRESS],
    returns: INT,
  },
  store_objects: { args: [INT, INT, ADDRESS, UNSIGNED, ADDRESS, ADDRESS, ADDRESS, INT], returns: DOUBLE },
  list_directory: { args: [INT, ADDRESS, UNSIGNED, ADDRESS, UNSIGNED, ADDRESS, INT, DOUBLE], returns: INT },
  read_objects: { args: [INT, ADDRESS, INT, ADDRESS, ADDRESS, UNSIGNED, UNSIGNED, ADDRESS], returns: INT },
  make_files: {
    args: [INT, ADDRESS, ADDRESS, INT, ADDRESS, ADDRESS, ADDRESS, INT, INT, ADDRESS],
    returns: VOID,
  },
  link_known: { args: [INT, INT, ADDRESS, UNSIGNED], returns: INT },
  match_entries: { args: [ADDRESS, ADDRESS, INT, ADDRESS, UNSIGNED, ADDRESS], returns: INT },
  settle_entries: { args: [ADDRESS, UNSIGNED, ADDRESS, UNSIGNED, ADDRESS, ADDRESS], returns: INT },
  link_prepare: { args: [INT, INT], returns: DOUBLE },
} as const satisfies Readonly<Record<string, ForeignSymbol>>;

/** The functions of bulk/*.c; all return numbers. */
export type BulkFiles = Readonly<Record<keyof typeof FUNCTIONS, (...values: readonly (number | NodeJS.TypedArray)[]) => number>>;

interface Facts {
  /** What the process takes from the mode of a file that it makes. */
  readonly modeMask?: number;
  /** Whether to try to make files without a name, and to name them when they are whole. */
  readonly isNamedLater?: boolean;
}

/**
 * Loads them, with memory of their own, from what the build has compiled; else compiles them here and now, which takes 6 ms: they are for a thread that
 * has hundreds of files before it.
 *
 * @returns undefined where the compiler in the runtime does not work: then everything is done the long way.
 */
export function loadBulkFiles(facts: Facts = {}): BulkFiles | undefined {
  try {
    return load(facts);
  } catch (error) {
    // Not every build of the runtime has the compiler, and it does not know every processor: it says so by plain errors.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

let shared: BulkFiles | undefined | null = null;

/** The same for all in this thread that ask for no state of their own: listing, and the work on nodes. */
export function sharedBulkFiles(): BulkFiles | undefined {
  if (shared === null) shared = loadBulkFiles();
  return shared;
}

function load({ modeMask = process.umask(), isNamedLater = true }: Facts): BulkFiles {
  const image = typeof NONO_BULK_FILES_IMAGE === 'string' ? NONO_BULK_FILES_IMAGE : undefined;
  const addressOf = functionAt(entryOf(image, compile), 1);
  const symbols = Object.entries(FUNCTIONS).map(([name, symbol], at) => [name, { ...symbol, ptr: Number(addressOf(at)) }]);
  const functions = functionsAt(Object.fromEntries(symbols)) as unknown as BulkFiles;
  const { user, group } = ownIds();
  functions.set_up(loadAssembly().system, modeMask, Number(isNamedLater), user, group);
  return functions;
}

/** As they stand in memory, for the build. */
export function compileBulkFilesOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  return compilePlaced('bulk-files', 'bulk_function', [base, read, objects, link, listing, nodes, make, table].join(''), CALLS);
}
