import type { Bytes } from '../bytes.ts';
import { decodeLaunchFailure, encodeLaunch, LAUNCHER_ROLE, type Launch } from '../sandbox/launch.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { commandEnd } from '../session/live-session.ts';
import { supervise } from '../session/supervise.ts';
import type { SandboxAdapters } from './context.ts';
import type { CommandResult } from './spec.ts';

/** The same file that this process runs, even when another version was installed over it. */
const OWN_EXECUTABLE = '/proc/self/exe';
/** Compiling what runs once costs more than it gains. Nothing of the caller's is in it. */
const LAUNCHER_ENVIRONMENT = { BUN_JSC_useBaselineJIT: '0' };

/**
 * Wraps by staying the command's parent, where only an ancestor may look at a process and nobody else could mediate: signals
 * and stops are passed on, and the command's end is this process's own.
 *
 * @param launch By the pid that the command must not outlive.
 */
export async function wrapAsParent(
  launch: (supervisorPid: number) => Launch,
  { spawn, signals, host }: SandboxAdapters,
  ownPid: number,
): Promise<CommandResult> {
  const instructions = launch(ownPid);
  const { mediation, command } = instructions;
  // Before the child is started, which shall be known as one of this process's.
  const listener = mediation === null ? undefined : host.mediate(mediation);
  const child = spawn.start({ file: OWN_EXECUTABLE, arguments: [LAUNCHER_ROLE], environment: LAUNCHER_ENVIRONMENT });
  using supervision = supervise(signals, ownPid, { onStopSignal: () => undefined, onChild: () => undefined });
  const failure = decodeLaunchFailure(await child.exchange(encodeLaunch(instructions), listener));
  if (failure !== undefined) throw launchError(failure, command[0] as Bytes);
  return { exitCode: commandEnd(await supervision.follow(child)).exitCode };
}
