export type Range = readonly [from: number, end: number];

/**
 * The memory of a process without what is kept, in whole pages of this kernel: pairs of first address and end, then where the last begins. Also where there
 * is nothing at all, because other threads map memory meanwhile.
 */
export function memoryBeside(kept: readonly Range[], pageBytes: number): readonly number[] {
  const gaps: number[] = [];
  let from = pageBytes;
  for (const [start, end] of kept.toSorted(([a], [b]) => a - b)) {
    const before = start - (start % pageBytes);
    if (before > from) gaps.push(from, before);
    from = Math.max(from, Math.ceil(end / pageBytes) * pageBytes);
  }
  return [...gaps, from];
}
