import { formatDuration } from '../time.ts';

/** A rate over less time says nothing. */
const MEASURED_MS_MINIMUM = 1000;

/**
 * How far something is, for a line that changes: "Verifying: 1,200 of 50,000 objects, 8,100/s, 6s left".
 *
 * @param total undefined where nobody knows how much there is: then no time is left either
 */
export function progressText(
  what: string,
  {
    done,
    total,
    unit,
    elapsedMs,
  }: { readonly done: number; readonly total?: number; readonly unit: string; readonly elapsedMs: number },
): string {
  const count = total === undefined ? number(done) : `${number(done)} of ${number(total)}`;
  const parts = [`${what}: ${count} ${unit}`];
  if (done > 0 && elapsedMs >= MEASURED_MS_MINIMUM) {
    const perMs = done / elapsedMs;
    // Of what takes seconds each, a rate is no help.
    if (perMs * 1000 >= 1) parts.push(`${number(Math.round(perMs * 1000))}/s`);
    if (total !== undefined && done < total) parts.push(`${formatDuration((total - done) / perMs)} left`);
  }
  return parts.join(', ');
}

function number(value: number): string {
  // Not by Intl, which takes a hundredth of a second to load.
  return String(value).replace(/\B(?=(?:\d{3})+$)/gu, ',');
}
