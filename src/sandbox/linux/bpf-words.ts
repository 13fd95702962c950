import type { Statement, Test } from './bpf.ts';
import { DATA, type ERRNO } from './seccomp-uapi.ts';

/** Short words for the statements that a filter is written in. */

export type Errno = keyof typeof ERRNO;

const ARGUMENT_BYTES = 8;
/** So many comparisons in a row cost less than another fork. */
const ROW = 3;

export const label = (name: string): Statement => ({ kind: 'label', name });
export const load = (offset: number): Statement => ({ kind: 'load', offset });
export const and = (constant: number): Statement => ({ kind: 'and', constant });
export const returns = (value: number): Statement => ({ kind: 'return', value });
export const jump = (to: string): Statement => ({ kind: 'jump', to });

/** The low 32 bits of an argument, on little-endian machines: all that the kernel takes of an int. */
export const loadArgument = (index: number): Statement => load(DATA.arguments + index * ARGUMENT_BYTES);

/** The high 32 bits of an argument. */
export const loadUpperHalf = (index: number): Statement => load(DATA.arguments + index * ARGUMENT_BYTES + 4);

export function is(test: Test, constant: number, sides: { readonly yes?: string; readonly no?: string }): Statement {
  return { kind: 'branch', test, constant, yes: sides.yes, no: sides.no };
}

/** Where the filter ends that answers with an errno. */
export function errnoLabel(errno: Errno): string {
  return `errno-${errno}`;
}

/** Values, and the labels to go to for them. */
export type Switch = readonly (readonly [value: number, to: string])[];

/**
 * Goes to the label of the loaded value, found by halves, else to `otherwise`.
 *
 * @param prefix Of the labels that this needs, unlike any other switch's.
 */
export function switchOn(prefix: string, cases: Switch, otherwise = 'allow'): readonly Statement[] {
  const sorted = cases.toSorted(([a], [b]) => a - b);
  const statements: Statement[] = [];
  const search = (from: number, to: number): void => {
    if (to - from <= ROW) {
      for (let at = from; at < to; at++) {
        const [value, yes] = sorted[at] as Switch[number];
        statements.push(is('equal', value, { yes }));
      }
      statements.push(jump(otherwise));
      return;
    }
    const middle = (from + to) >> 1;
    const [first] = sorted[middle] as Switch[number];
    const upper = `${prefix}-from-${first}`;
    statements.push(is('atLeast', first, { yes: upper }));
    search(from, middle);
    statements.push(label(upper));
    search(middle, to);
  };
  search(0, sorted.length);
  return statements;
}
