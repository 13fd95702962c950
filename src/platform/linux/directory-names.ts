import { type Bytes, bytesAt } from '../../bytes.ts';
import { type Block, createBlock, type Scratch, statAt } from './file-calls.ts';
import { syscall } from './syscalls.ts';
import { AT_EMPTY_PATH } from './uapi.ts';

/** struct linux_dirent64 of include/linux/dirent.h: d_reclen at 16, d_name at 19. */
const LENGTH_AT = 16;
const NAME_AT = 19;
/** The longest entry: a name of 255 bytes, its NUL, and what aligns the next. */
const ENTRY_BYTES_MAXIMUM = 280;
/** What is given the kernel for names grows by so much until all fit in, up to over a million of them. */
export const NAMES_GROWTH = 4;
export const NAMES_BYTES_MAXIMUM = 64 * 1024 * 1024;
/** The clock of a file system is behind by the tick of the kernel, 10 ms at most. */
const LATELY_MS = 100;
/** Nobody but who does nothing else replaces names faster than that. */
const READINGS_MAXIMUM = 8;

/**
 * The names in a directory without `.` and `..`, each once: all that it holds from the beginning of the call to its end, be
 * they replaced meanwhile or not.
 *
 * A file system that numbers the entries of a directory gives one that is replaced a new number at the end (btrfs), and shows
 * a reader none that were made since it began (btrfs_dir_llseek()): a name that is there all the time can be passed over.
 * Between the pieces of a long directory others come to change it, so it is read in one piece, and where it has just been
 * changed it is read until nothing is new.
 *
 * @throws {SystemError}
 */
export function readDirectoryNames(directory: number, scratch: Scratch): Bytes[] {
  const first = readOnce(directory, scratch);
  let changedMs = changeTime(directory, scratch);
  if (changedMs < latelyMs()) return first;
  const names = new Set(first);
  for (let readings = 1; readings < READINGS_MAXIMUM; readings += 1) {
    const known = names.size;
    const before = changedMs;
    for (const name of readOnce(directory, scratch)) names.add(name);
    changedMs = changeTime(directory, scratch);
    if (names.size === known && changedMs === before) break;
  }
  return [...names];
}

/** Milliseconds since 1970 from which on a change of a directory is one that a reader who begins now may meet half done. */
export function latelyMs(): number {
  return Date.now() - LATELY_MS;
}

function changeTime(directory: number, scratch: Scratch): number {
  const state = statAt(scratch, directory, '' as Bytes, AT_EMPTY_PATH);
  return state === undefined ? 0 : state.ctimeSeconds * 1000 + state.ctimeNanoseconds / 1e6;
}

function readOnce(directory: number, scratch: Scratch): Bytes[] {
  let block = scratch.dirents;
  const names: Bytes[] = [];
  // Also before the first time: since when it is open it may have changed.
  syscall('lseek', directory, 0, 0);
  for (;;) {
    const filled = syscall('getdents64', directory, block.address, block.bytes.length);
    if (filled === 0) return names;
    if (filled > block.bytes.length - ENTRY_BYTES_MAXIMUM && block.bytes.length < NAMES_BYTES_MAXIMUM) {
      block = createBlock(block.bytes.length * NAMES_GROWTH);
      names.length = 0;
      syscall('lseek', directory, 0, 0);
    } else addNames(names, block, filled);
  }
}

function addNames(names: Bytes[], { bytes, view }: Block, filled: number): void {
  for (let at = 0; at < filled; at += view.getUint16(at + LENGTH_AT, true)) {
    const start = at + NAME_AT;
    const name = bytesAt(bytes, start, bytes.indexOf(0, start));
    if (name !== '.' && name !== '..') names.push(name);
  }
}
