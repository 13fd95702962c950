import { type Bytes, bytesFromText, cString } from '../../bytes.ts';
import { Pins } from './pins.ts';
import { readSmallFile } from './small-files.ts';
import { trySyscall } from './syscalls.ts';

const OWN_EXECUTABLE = '/proc/self/exe' as Bytes;

/**
 * What the engine of JavaScript spends on optimizing code that walks tens of thousands of files is more than the code then
 * saves; it can be told so only when a process starts.
 */
export const NO_OPTIMIZER = { BUN_JSC_useDFGJIT: '0' } as const;

/**
 * Becomes the same program with the same words, once: what it sets in the environment tells that it was done. Returns where the
 * kernel refuses, and then everything is only slower.
 */
export function startWithoutOptimizer(): void {
  const variables = Object.entries(NO_OPTIMIZER).map(([name, value]) => bytesFromText(`${name}=${value}`));
  const environment = listOf('/proc/self/environ');
  if (variables.every((variable) => environment.includes(variable))) return;
  const pins = new Pins();
  const words = pins.vector(listOf('/proc/self/cmdline'));
  trySyscall('execve', pins.address(cString(OWN_EXECUTABLE)), words, pins.vector([...environment, ...variables]));
  pins.release();
}

/** The entries of a file of /proc, each ended by NUL. */
function listOf(path: string): Bytes[] {
  return readSmallFile(path).split('\0').slice(0, -1) as Bytes[];
}
