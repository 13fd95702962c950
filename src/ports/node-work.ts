import type { Listing } from './listing.ts';

/** What settleEntries() counts, by index: files, entries, bytes of the files; from there on entries by the number of their reason (rollback/entry.ts). */
export const TOTALS = { files: 0, entries: 1, sizeBytes: 2, reasons: 3, length: 3 + 256 } as const;

/**
 * What is done for each of tens of thousands of entries of a snapshot. A node is a header of 8 bytes and then its entries, packed and sorted by the bytes
 * of their names (rollback/FORMAT.md).
 */
export interface NodeWork {
  /**
   * Finds the records of a listing among the entries of a node of less than 2^30 bytes.
   *
   * @param matches Takes, for each record, -1 or twice the offset of the entry with its name, and 1 more when the two have the
   *   same size, times, inode and device.
   * @returns the offset of an entry that goes past the end of the node, -1 when there is none among those that were looked at.
   */
  matchEntries(listing: Listing, node: Buffer, matches: Int32Array): number;
  /**
   * Puts into each directory of a node where its own node is, counts the entries, and writes what their Merkle hash is the SHA-256 of.
   *
   * @param places By the number that stands in a directory's reference: the 44 bytes of the reference and the hash.
   * @param into Has room for 12 bytes more than the node has.
   * @param totals Are added to (TOTALS).
   * @returns the bytes written, -1 for a number that has no place.
   */
  settleEntries(node: Buffer, places: Buffer, placeCount: number, into: Buffer, totals: Float64Array): number;
}
