import textAfter from './code-end.c' with { type: 'text' };
import { loadImage, type PlacedCode } from './code-image.ts';
import textBefore from './code-start.c' with { type: 'text' };
import { compileC } from './compile-c.ts';
import { functionAt, WORD } from './foreign.ts';
import { copyOfMemory } from './machine-code.ts';
import { readSmallFile } from './small-files.ts';
import { type SyscallName, syscallNumber } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** A function of compiled C that tells where the C is. */
export const WHERE = { args: [WORD], returns: WORD } as const;

/** What it tells, by number: addresses. */
const PLACES = ['entry', 'codeEnd', 'constants', 'constantsEnd', 'data', 'initializedEnd', 'end'] as const;

export type Places = Readonly<Record<(typeof PLACES)[number], number>>;

export function placesOf(where: (what: number) => number | bigint): Places {
  return Object.fromEntries(PLACES.map((name, at) => [name, Number(where(at))])) as Places;
}

/**
 * Compiles C of nono's own here and now, 2 to 6 ms: between code-start.c and code-end.c, with what differs between machines defined before it.
 *
 * @param entry The function that is called from outside.
 * @param calls Those that it makes by CALL_name.
 */
export function compilePlaced(name: string, entry: string, source: string, calls: readonly SyscallName[] = []): Places {
  const numbers = calls.map((call) => `#define CALL_${call} ${syscallNumber(call)}\n`).join('');
  const flags = `#define O_DIRECTORY ${uapi.O_DIRECTORY}\n#define O_NOFOLLOW ${uapi.O_NOFOLLOW}\n`;
  const text = `${textBefore}${numbers}${flags}#line 1 "${name}"\n${source}\n#define ENTRY ${entry}\n${textAfter}`;
  return placesOf(compileC(`${name}.c`, text, { where: WHERE }).where);
}

/** The address of the entry of an image that the build has made; where it has made none, of what is compiled here and now. */
export function entryOf(image: string | undefined, compile: () => Places): number {
  return image === undefined ? compile().entry : loadImage(image).entry;
}

/** What prepares a thread of nono's own: it takes the address of what the thread works on, and gives the one at which it begins. */
export type PrepareThread = (address: number) => number;

/** @see entryOf */
export function prepareThreadOf(image: string | undefined, compile: () => Places): PrepareThread {
  const prepare = functionAt(entryOf(image, compile), 1);
  return (address) => Number(prepare(address));
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
