import type { Pointer } from 'bun:ffi';

/**
 * What bun:ffi stands on, taken from where it takes it: loading the module itself costs every start 0.4 ms, and all that it adds are names of types.
 * Its compiler of C is had by compile-c.ts alone.
 */
interface NativeFfi {
  readonly dlopen: (path: string, symbols: ForeignSymbols) => Opened | Error;
  readonly linkSymbols: (symbols: ForeignSymbols) => Opened | Error;
  readonly ptr: (data: Uint8Array) => number;
  readonly toArrayBuffer: (address: number, offset: number, sizeBytes: number) => ArrayBuffer | Error;
}

export interface ForeignSymbol {
  readonly args: readonly ForeignType[];
  readonly returns: ForeignType;
  /** Of code that is in memory already. */
  readonly ptr?: number;
}

type ForeignSymbols = Readonly<Record<string, ForeignSymbol>>;
type ForeignValue = number | bigint | Uint8Array | BigInt64Array | null;
export type ForeignFunction = ((...values: readonly ForeignValue[]) => number | bigint) & { readonly ptr: Pointer };

interface Opened {
  readonly symbols: Readonly<Record<string, ForeignFunction>>;
}

/** FFIType of bun:ffi: a register, a number where it is safe and else a bigint; an int, and one without a sign; an address, or memory whose address it is. */
export const WORD = 15;
export const INT = 5;
export const UNSIGNED = 6;
export const ADDRESS = 12;
/** What only comes back. */
export const DOUBLE = 9;
export const VOID = 13;
type ForeignType = typeof WORD | typeof INT | typeof UNSIGNED | typeof ADDRESS | typeof DOUBLE | typeof VOID;

const PARAMETERS = [WORD, WORD] as const;

const native = (Bun as unknown as { readonly FFI: NativeFfi }).FFI;

/**
 * The C library: of glibc by the name under which this process has it already, of musl by its path. A bare
 * name that the loader does not know is looked for in the current directory, which may be hostile.
 */
const LIBC_NAMES = ['libc.so.6', '/lib/ld-musl-x86_64.so.1', '/lib/ld-musl-aarch64.so.1'] as const;

/** Functions of the C library. @throws {Error} where there is none. */
export function openLibc<Names extends string>(
  symbols: Readonly<Record<Names, ForeignSymbol>>,
): Readonly<Record<Names, ForeignFunction>> {
  let failure: unknown;
  for (const library of LIBC_NAMES) {
    const opened = native.dlopen(library, symbols);
    if (!(opened instanceof Error)) return opened.symbols;
    failure = opened; // glibc and musl have different names: the next one may be there.
  }
  throw new Error('Cannot load the C library', { cause: failure });
}

/** A function of machine code at an address, which takes words, two at most, and returns one. */
export function functionAt(address: number, parameters: number): ForeignFunction {
  const found = { ptr: address, args: PARAMETERS.slice(0, parameters), returns: WORD } as const;
  return functionsAt({ found })['found'] as ForeignFunction;
}

/** Functions of machine code, each at the address that it says. */
export function functionsAt(symbols: ForeignSymbols): Readonly<Record<string, ForeignFunction>> {
  const linked = native.linkSymbols(symbols);
  if (linked instanceof Error) throw linked;
  return linked.symbols;
}

/** The address of `data`. The caller keeps `data` alive for as long as the address is used. */
export function addressOf(data: Uint8Array): number {
  return native.ptr(data);
}

/** Memory that is not the collector's. */
export function memoryAt(address: number, sizeBytes: number): ArrayBuffer {
  const memory = native.toArrayBuffer(address, 0, sizeBytes);
  if (memory instanceof Error) throw memory;
  return memory;
}
