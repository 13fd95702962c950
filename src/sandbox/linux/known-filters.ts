import type { Bytes } from '../../bytes.ts';
import { NEWEST_ABI } from './landlock.ts';
import type { SeccompTarget } from './seccomp.ts';

/** Replaced by the build: encodeKnownFilters() of assemble-filters.ts. */
declare const NONO_FILTERS: string | undefined;

/** encodeSeccomp() takes a tenth of a start: what most runs ask for was assembled when nono was built. @returns as assembleFilter(), undefined where it was not. */
export function knownFilter(target: SeccompTarget): Bytes | undefined {
  return typeof NONO_FILTERS === 'string' ? findFilter(NONO_FILTERS, target) : undefined;
}

/** @returns undefined for one that is not among `filters` (encodeKnownFilters()). */
export function findFilter(filters: string, target: SeccompTarget): Bytes | undefined {
  const begin = `\n${filterName(target)}=`;
  const at = filters.indexOf(begin);
  if (at < 0) return undefined;
  return atob(filters.slice(at + begin.length, filters.indexOf('\n', at + 1))) as Bytes;
}

/** All that encodeSeccomp() looks at; ports are the mediator's. */
export function filterName({ network, architecture, abi, mediator, datagrams = false, asks = false }: SeccompTarget): string {
  return `${network.mode}/${architecture}/${Math.min(abi, NEWEST_ABI)}/${mediator}/${datagrams}/${asks}`;
}
