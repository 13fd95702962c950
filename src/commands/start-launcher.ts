import type { Spawn, StartedProcess } from '../ports/spawn.ts';
import { LAUNCHER_ROLE } from '../sandbox/launch.ts';

/** The same file that this process runs, even when another version was installed over it. */
const OWN_EXECUTABLE = '/proc/self/exe';
/** Compiling what runs once costs the launcher a third of its time. Nothing of the caller's is in it. */
const LAUNCHER_ENVIRONMENT = { BUN_JSC_useBaselineJIT: '0' };

/** A process that waits for its instructions, with the caller's streams; when none come it ends by itself. */
export function startLauncher(spawn: Spawn): StartedProcess {
  return spawn.start({ file: OWN_EXECUTABLE, arguments: [LAUNCHER_ROLE], environment: LAUNCHER_ENVIRONMENT });
}
