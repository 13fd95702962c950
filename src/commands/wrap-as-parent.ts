import type { Bytes } from '../bytes.ts';
import type { LaunchedProcess } from '../ports/spawn.ts';
import type { Launch } from '../sandbox/launch.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { commandEnd } from '../session/live-session.ts';
import { OwnedTree } from '../session/owned-tree.ts';
import { supervise } from '../session/supervise.ts';
import type { ParentAdapters } from './context.ts';
import type { CommandResult } from './spec.ts';
import { FIRST_PID } from './wrap.ts';

/**
 * Wraps by staying the command's parent, where only an ancestor may look at a process and nobody else could mediate, and where a mediator beside the command
 * would be its child: signals and stops are passed on, and the command's end is this process's own.
 *
 * @param launch By the pid that the command must not outlive.
 */
export async function wrapAsParent(
  launch: (supervisorPid: number) => Launch,
  { signals, host, keepTree }: ParentAdapters,
  ownPid: number,
): Promise<CommandResult> {
  const instructions = launch(ownPid);
  const { mediation, command } = instructions;
  // The first process is given each that has lost its parent, to wait for; the others end with it.
  using tree = ownPid === FIRST_PID ? new OwnedTree(keepTree) : undefined;
  const listener = mediation === null ? undefined : host.mediate(mediation);
  let child: LaunchedProcess | undefined;
  using supervision = supervise(signals, ownPid, { onStopSignal: () => undefined, onChild: () => (tree ?? child)?.look() });
  const launched = host.launch(instructions, { listener });
  if ('step' in launched) throw launchError(launched, command[0] as Bytes);
  child = tree?.own(launched) ?? launched;
  return { exitCode: commandEnd(await supervision.follow(launched)).exitCode };
}
