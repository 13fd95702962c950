import { type Bytes, bufferFromBytes } from '../bytes.ts';
import type { Change } from './compare.ts';

/** Of two such letters a file system may see only one; more of them than there are on any does no harm. */
function fold(path: Bytes): string {
  if (/^[\x01-\x7f]*$/.test(path)) return path.toLowerCase();
  return bufferFromBytes(path).toString('utf8').normalize('NFKD').toUpperCase().toLowerCase();
}

/** Those of the paths that differ from another one by case, or by how an accent is written: macOS, and Linux where it is told to, take both for one. */
export function findTwins(paths: readonly Bytes[]): ReadonlySet<Bytes> {
  const first = new Map<string, Bytes>();
  const twins = new Set<Bytes>();
  for (const path of paths) {
    const folded = fold(path);
    const other = first.get(folded);
    if (other === undefined) first.set(folded, path);
    else if (other !== path) twins.add(other).add(path);
  }
  return twins;
}

/** The same of what changed: it takes one name that came and one that went. */
export function twinsAmong(changes: readonly Change[]): ReadonlySet<Bytes> {
  const [hasCome, hasGone] = [
    changes.some(({ before }) => before === undefined),
    changes.some(({ after }) => after === undefined),
  ];
  return hasCome && hasGone ? findTwins(changes.map(({ path }) => path)) : new Set();
}
