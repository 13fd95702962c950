import { landlockGaps } from '../../sandbox/linux/landlock.ts';
import type { Check } from './checks.ts';

interface Feature {
  readonly name: string;
  /** The first ABI that has it. */
  readonly abi: number;
  readonly kernel: string;
  /** How it is without. */
  readonly without: Pick<Check, 'status' | 'detail' | 'fix'>;
}

/** What came to Landlock after its first ABI and is made up for in another way, or given up. What cannot be is a gap. */
const FEATURES: readonly Feature[] = [
  {
    name: 'renaming between directories',
    abi: 2,
    kernel: '5.19',
    without: { status: 'limited', detail: 'refused, also inside the grants', fix: 'Linux 5.19 allows it' },
  },
  { name: 'truncating', abi: 3, kernel: '6.2', without: { status: 'ok', detail: 'by the system call filter' } },
  {
    name: 'TCP by port',
    abi: 4,
    kernel: '6.7',
    without: {
      status: 'limited',
      detail: '--allow-port and --allow-bind are refused',
      fix: 'Linux 6.7 has it; --block-net works',
    },
  },
  { name: 'commands to devices', abi: 5, kernel: '6.10', without: { status: 'ok', detail: 'by the system call filter' } },
  { name: 'signals', abi: 6, kernel: '6.12', without: { status: 'ok', detail: 'by mediation' } },
];

/** Each feature of Landlock with what holds at this ABI. */
export function landlockChecks(abi: number): readonly Check[] {
  const gaps = landlockGaps(abi).map(
    ({ what, kernel }): Check => ({
      name: what,
      status: 'missing',
      detail: 'nothing is started',
      fix: `Linux ${kernel} has it; --best-effort goes on without, and says so`,
    }),
  );
  const features = FEATURES.filter(({ name }) => gaps.length === 0 || name !== 'signals').map(
    ({ name, abi: first, kernel, without }): Check =>
      abi >= first ? { name, status: 'ok', detail: `by Landlock, since Linux ${kernel}` } : { name, ...without },
  );
  return [...features, ...gaps];
}
