import type { Bytes } from '../bytes.ts';
import type { ContentSink } from './drafts.ts';

/** One content to read. */
export interface ContentTask {
  /** The index of the root; its directory is the one that holds it when the root is a file. */
  readonly root: number;
  readonly path: Bytes;
  readonly sink: ContentSink;
  readonly position: number;
}

/** The files of one directory whose contents an earlier session holds: those of its node that have a hash already. */
export interface KnownContents {
  /** Encoded; it may be changed after it was handed over. */
  readonly node: Buffer;
  /** What reads the content of the entry at `position` of the node, should the earlier session not have it after all. */
  readonly taskAt: (position: number) => ContentTask;
  /** Called when all that is to be read of them was submitted. */
  readonly onDone: () => void;
}

/** Where the contents of files are read and stored: in this thread or in others. */
export interface ContentReader {
  /** Begins with a task; its sink is told later, in this thread, or before this returns. */
  submit(task: ContentTask): void;
  /** Takes over contents of an earlier session, and reads those that it does not have. */
  takeOver(known: KnownContents): void;
  /** Settles when so much of what was submitted is done that more may come; undefined when that is now. */
  room(): Promise<void> | undefined;
  /**
   * Resolves when all is done, with the bytes that were newly stored. Rejects with what is no property of
   * one file, such as a full disk.
   *
   * @param onWait Called when all has begun, and each time that some of it is done.
   */
  finish(onWait?: () => void): Promise<number>;
}
