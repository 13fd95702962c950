import type { Bytes } from '../bytes.ts';
import type { LaunchedProcess } from '../ports/spawn.ts';
import type { Launch } from '../sandbox/launch.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { commandEnd } from '../session/live-session.ts';
import { supervise } from '../session/supervise.ts';
import type { ParentAdapters } from './context.ts';
import type { CommandResult } from './spec.ts';

/**
 * Wraps by staying the command's parent, where only an ancestor may look at a process and nobody else could mediate: signals
 * and stops are passed on, and the command's end is this process's own.
 *
 * @param launch By the pid that the command must not outlive.
 */
export async function wrapAsParent(
  launch: (supervisorPid: number) => Launch,
  { signals, host }: ParentAdapters,
  ownPid: number,
): Promise<CommandResult> {
  const instructions = launch(ownPid);
  const { mediation, command } = instructions;
  const listener = mediation === null ? undefined : host.mediate(mediation);
  let child: LaunchedProcess | undefined;
  using supervision = supervise(signals, ownPid, { onStopSignal: () => undefined, onChild: () => child?.look() });
  const launched = host.launch(instructions, { listener });
  if ('step' in launched) throw launchError(launched, command[0] as Bytes);
  child = launched;
  return { exitCode: commandEnd(await supervision.follow(launched)).exitCode };
}
