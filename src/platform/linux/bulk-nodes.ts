import type { NodeWork } from '../../ports/node-work.ts';
import { sharedBulkFiles } from './bulk-files.ts';

/** By C (bulk/nodes.c). @returns undefined where the compiler in the runtime does not work. */
export function loadBulkNodes(): NodeWork | undefined {
  const { match_entries: matchEntries, settle_entries: settleEntries } = sharedBulkFiles() ?? {};
  if (matchEntries === undefined || settleEntries === undefined) return undefined;
  return {
    matchEntries(listing, node, matches) {
      const { bytes, offsets } = listing;
      // There is no address of nothing.
      return offsets.length === 0 ? -1 : matchEntries(bytes, offsets, offsets.length, node, node.length, matches);
    },
    settleEntries: (node, places, placeCount, into, totals) => settleEntries(node, node.length, places, placeCount, into, totals),
  };
}
