import type { Bytes } from '../bytes.ts';
import type { FileKind } from './files.ts';

/**
 * What a path means and what kind of thing is there: the little that making a plan asks of a file system,
 * hundreds of times before a command can start. Failures are SystemError.
 */
export interface PathFacts {
  /**
   * Says which paths resolve() is asked for next, so that they can be looked up together. Each answer is given once: whoever asks again, looks again.
   */
  prepare?(paths: readonly Bytes[]): void;
  /** Follows every link of an absolute path. @returns undefined when there is nothing. */
  resolve(path: Bytes): FoundPath | undefined;
  /** Where a link leads, as it is written there. @returns undefined for what is no link, or not there. */
  readLink(path: Bytes): Bytes | undefined;
  /** The entries of a directory, links not followed, in no order. */
  entries(path: Bytes): readonly FoundEntry[];
  /** Only their names, which is cheaper. */
  names(path: Bytes): readonly Bytes[];
  /** The first bytes of a regular file, at most `sizeBytes`; never blocks on another kind of file. */
  readStart(path: Bytes, sizeBytes: number): Bytes;
  /** What the standard streams are, those that have a name. */
  streams(): readonly OpenStream[];
  /** What is mounted where, if a file system is mounted in more than one place, so that what is in it has several names; else nothing. */
  mounts?(): readonly Mount[];
  /** Where interfaces of the kernel are mounted beside /proc, /sys and /dev. */
  kernelMounts?(): readonly Bytes[];
}

/** A directory or file of a file system, and where it is to be seen. */
export interface Mount {
  readonly fileSystem: string;
  /** Its path in the file system. */
  readonly root: Bytes;
  readonly path: Bytes;
}

/** What a path leads to, all links followed. */
export interface FoundPath {
  /** Without links. */
  readonly path: Bytes;
  readonly kind: FileKind;
  /** Permission bits. */
  readonly mode: number;
}

/** A name in a directory, and what it is itself: links are not followed. */
export interface FoundEntry {
  readonly name: Bytes;
  readonly kind: FileKind;
  readonly mode: number;
}

/** A descriptor that the caller of nono has opened. */
export interface OpenStream {
  /** The name that it was opened by, as the kernel tells it; it may mean something else by now. */
  readonly path: Bytes;
  readonly canRead: boolean;
  readonly canWrite: boolean;
}
