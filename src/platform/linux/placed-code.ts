import { FFIType } from 'bun:ffi';
import type { PlacedCode } from './code-image.ts';
import { copyOfMemory } from './machine-code.ts';
import { readSmallFile } from './small-files.ts';

/** A function of compiled C that tells where the C is: the one that is called, what is behind all data, the first data that are written to, and itself. */
export const WHERE = { args: [FFIType.i64_fast], returns: FFIType.i64_fast } as const;

/** What it tells. */
export interface Places {
  readonly entry: number;
  readonly end: number;
  readonly data: number;
  readonly lastFunction: number;
}

export function placesOf(where: (what: number) => number | bigint): Places {
  return { entry: Number(where(0)), end: Number(where(1)), data: Number(where(2)), lastFunction: Number(where(3)) };
}

/** A copy of code that was compiled just now and has not run yet. */
export function placedCode({ entry, end, data, lastFunction }: Places): PlacedCode {
  const { from } = codeMappingOf(entry);
  return {
    address: from,
    codeBytes: data - from,
    strictBytes: lastFunction - from,
    entry,
    bytes: copyOfMemory(from, end - from),
  };
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
