import { addressOf, fixedBuffer, syscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/**
 * A pipe that no program inherits.
 *
 * @param flags O_NONBLOCK or none. @returns its ends, which the caller closes. @throws {SystemError}
 */
export function makePipe(flags = 0): { readonly source: number; readonly sink: number } {
  const ends = new Int32Array(fixedBuffer(8).buffer);
  syscall('pipe2', addressOf(new Uint8Array(ends.buffer)), uapi.O_CLOEXEC | flags);
  // By index: to take it apart as a list loads what lists typed arrays.
  return { source: ends[0] ?? -1, sink: ends[1] ?? -1 };
}
