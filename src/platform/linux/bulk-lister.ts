import type { Listing } from '../../ports/listing.ts';
import { type BulkFiles, NO_ROOM, NO_ROOM_FOR_NAMES, sharedBulkFiles } from './bulk-files.ts';
import { latelyMs, NAMES_BYTES_MAXIMUM, NAMES_GROWTH } from './directory-names.ts';
import { DIRENTS_BYTES } from './file-calls.ts';
import { fixedBuffer } from './syscalls.ts';

/** Entries that are listed one by one before it is worth compiling: that takes as long as some thousand of them. */
const WORTH_COMPILING_ENTRIES = 4000;
const FIRST_ROOM_BYTES = 256 * 1024;
/** A record with a short name: memory for offsets grows with that for records. */
const RECORD_BYTES_TYPICAL = 112;

/** Lists directories in one call each, once there were so many entries that it pays. */
export class BulkLister {
  readonly #fromEntries: number;
  #listedEntries = 0;
  #bulk: BulkFiles | undefined | null = null;
  #dirents: Uint8Array | undefined;
  #records: Buffer | undefined;
  #offsets = new Uint32Array(0);

  constructor(fromEntries = WORTH_COMPILING_ENTRIES) {
    this.#fromEntries = fromEntries;
  }

  /** Counts what was listed the long way. */
  hasListed(entries: number): void {
    this.#listedEntries += entries;
  }

  /** @returns undefined while it does not pay, where it cannot be done or fails, and for a directory that somebody is changing. */
  list(directory: number): Listing | undefined {
    if (this.#bulk === null) {
      if (this.#listedEntries < this.#fromEntries) return undefined;
      this.#bulk = sharedBulkFiles();
      this.#dirents = fixedBuffer(DIRENTS_BYTES);
    }
    const { list_directory: listDirectory } = this.#bulk ?? {};
    if (listDirectory === undefined || this.#dirents === undefined) return undefined;
    for (;;) {
      const records = this.#records ?? this.#grow(FIRST_ROOM_BYTES);
      const dirents = this.#dirents;
      const most = this.#offsets.length;
      const into = [records, records.length, this.#offsets, most] as const;
      const count = listDirectory(directory, dirents, dirents.length, ...into, latelyMs());
      if (count >= 0) return { bytes: records, offsets: this.#offsets.subarray(0, count) };
      if (count === NO_ROOM) this.#grow(2 * records.length);
      else if (count === NO_ROOM_FOR_NAMES && dirents.length < NAMES_BYTES_MAXIMUM)
        this.#dirents = fixedBuffer(dirents.length * NAMES_GROWTH);
      // What fails does so the long way too, unless it is one entry that another file system keeps to itself.
      else return undefined;
    }
  }

  #grow(room: number): Buffer {
    this.#offsets = new Uint32Array(new ArrayBuffer(4 * Math.ceil(room / RECORD_BYTES_TYPICAL)));
    return (this.#records = Buffer.from(fixedBuffer(room).buffer));
  }
}
