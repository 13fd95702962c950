import type { PlacedCode } from './code-image.ts';
import { WORD } from './foreign.ts';
import { copyOfMemory } from './machine-code.ts';
import { readSmallFile } from './small-files.ts';

/** A function of compiled C that tells where the C is. */
export const WHERE = { args: [WORD], returns: WORD } as const;

/** What it tells, by number: addresses. */
const PLACES = ['entry', 'codeEnd', 'constants', 'constantsEnd', 'data', 'initializedEnd', 'end'] as const;

export type Places = Readonly<Record<(typeof PLACES)[number], number>>;

export function placesOf(where: (what: number) => number | bigint): Places {
  return Object.fromEntries(PLACES.map((name, at) => [name, Number(where(at))])) as Places;
}

/** A copy of code that was compiled just now and has not run yet; of the gaps in it, where anything may be, nothing. */
export function placedCode({ entry, codeEnd, constants, constantsEnd, data, initializedEnd, end }: Places): PlacedCode {
  const { from } = codeMappingOf(entry);
  const bytes = new Uint8Array(end - from);
  for (const [start, stop] of [
    [from, codeEnd],
    [constants, constantsEnd],
    [data, initializedEnd],
  ] as const) {
    if (start < from || stop <= start || stop > end) throw new Error('Compiled code is not in the order that it was written in');
    bytes.set(copyOfMemory(start, stop - start), start - from);
  }
  return { address: from, codeBytes: data - from, entry, bytes };
}

/** The memory that holds the code at an address, and nothing that cannot be executed. */
export function codeMappingOf(address: number): { readonly from: number; readonly end: number } {
  for (const line of readSmallFile('/proc/self/maps').split('\n')) {
    const [range = '', rights = ''] = line.split(' ', 2);
    const [from = 0, end = 0] = range.split('-').map((word) => Number.parseInt(word, 16));
    if (address >= from && address < end && rights.includes('x')) return { from, end };
  }
  throw new Error('There is no code at that address');
}
