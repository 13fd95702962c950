import type { Outcome } from './nono.ts';
import { runProgram } from './nono.ts';
import type { World } from './world.ts';

/** A word of a shell's that stands for these bytes, none of which is NUL; newlines at the end are lost. */
export function shellBytes(bytes: string): string {
  const octal = Array.from(bytes, (unit) => `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`).join('');
  return `"$(printf '${octal}')"`;
}

/** Runs a script in the world with "$NONO", the way to the executable: words and variables of any bytes are no strings of Node's. */
export function runScript(world: World, script: string, cwd = world.project): Promise<Outcome> {
  return runProgram(world, ['/bin/sh', '-c', script], { cwd, environment: { NONO: world.executable } });
}
