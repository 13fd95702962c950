import type { HandOver } from '../../ports/sandbox-host.ts';
import type { Attempt, AttemptResults, Launch, LaunchFailure } from '../../sandbox/launch.ts';
import { tryAll } from './attempts.ts';
import * as confine from './confine-uapi.ts';
import { LaunchMemory } from './launch/launch-memory.ts';
import { loadLaunch, RUN } from './launch/load.ts';
import { syscall, trySyscall } from './syscalls.ts';

/** @see SandboxHost.become() */
export function become(launch: Launch, handOver: HandOver): LaunchFailure {
  const memory = new LaunchMemory(launch);
  const run = loadLaunch();
  run(memory.address, RUN.confine);
  if (memory.failure === undefined) {
    if (memory.listener !== undefined) handOver(memory.listener);
    run(memory.address, RUN.execute);
  }
  const { failure } = memory;
  if (failure === undefined) throw new TypeError('execve(2) returned without an errno');
  return failure;
}

/** Confines this process and tries things. It may do no more afterwards than tell the results and exit. */
export function attemptConfined(launch: Launch, attempts: readonly Attempt[]): AttemptResults | LaunchFailure {
  const memory = new LaunchMemory(launch);
  loadLaunch()(memory.address, RUN.confine);
  // None of what is tried is mediated.
  if (memory.listener !== undefined) syscall('close', memory.listener);
  return memory.failure ?? tryAll(attempts);
}

/** @see SandboxHost.landlockAbi() */
export function landlockAbi(): number {
  return Math.max(0, trySyscall('landlock_create_ruleset', 0, 0, confine.LANDLOCK_CREATE_RULESET_VERSION));
}
