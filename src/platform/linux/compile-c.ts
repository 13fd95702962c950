import type * as Ffi from 'bun:ffi';
import { writeAll } from './channel.ts';
import { makeMemory } from './memory-file.ts';
import { fixedBuffer, syscall } from './syscalls.ts';

/**
 * Compiles C by the compiler that is in the runtime (TinyCC): 5 ms. What it makes is never freed.
 *
 * @param name For the compiler's messages.
 * @param source Uses neither headers nor libraries: none need be there.
 */
export function compileC<Functions extends Record<string, Ffi.FFIFunction>>(name: string, source: string, symbols: Functions) {
  // The compiler reads files only, and those inside the executable are none for it.
  const file = makeMemory(name);
  try {
    writeAll(file, place(Buffer.from(source)));
    // Only here and now: most starts have nothing to compile.
    const { cc } = process.getBuiltinModule('bun:ffi') as unknown as typeof Ffi;
    return cc({ source: `/proc/self/fd/${file}`, flags: ['-nostdlib', '-nostdinc', '-xc'], symbols }).symbols;
  } finally {
    syscall('close', file);
  }
}

/** Memory that stays where it is. */
function place(bytes: Buffer): Uint8Array {
  const memory = fixedBuffer(bytes.length);
  memory.set(bytes);
  return memory;
}
