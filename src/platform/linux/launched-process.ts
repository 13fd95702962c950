import { SystemError } from '../../errors.ts';
import type { LaunchedProcess, LaunchOptions, ProcessExit } from '../../ports/spawn.ts';
import type { Launch, LaunchFailure } from '../../sandbox/launch.ts';
import { LaunchMemory } from './launch/launch-memory.ts';
import { loadLaunch, RUN } from './launch/load.ts';
import { loadMediator } from './mediator/load.ts';
import { threadsOf } from './process-tree.ts';
import { withSignalsBlocked } from './signal-mask.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** include/uapi/linux/wait.h, include/uapi/asm-generic/siginfo.h */
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WALL = 0x40000000;
const CLD_EXITED = 1;
const CLD_TRAPPED = 4;
const SIGINFO_BYTES = 128;
const CODE_AT = 8;
const PID_AT = 16;
const STATUS_AT = 24;

/** include/uapi/linux/ptrace.h, include/uapi/asm-generic/signal.h */
const PTRACE_DETACH = 17;
const SIGTRAP = 5;

/** Loads what a launch wants, for a process that has nothing better to do until it is told to. */
export function prepareToLaunch(): void {
  try {
    loadLaunch();
    loadMediator();
  } catch (error) {
    // Where machine code cannot be had, the launch says so itself.
    if (!(error instanceof Error)) throw error;
  }
}

/** A launch of which all is there that can be: memory, the mediator's too, and rules. Not for use once it was started. */
export interface PreparedLaunch {
  start(): LaunchedProcess | LaunchFailure;
}

/** For a process that has time before it is to start the command. What cannot be made ready fails the start. */
export function prepareCommand(launch: Launch, options: LaunchOptions): PreparedLaunch {
  options.listener?.expect();
  const memory = new LaunchMemory(launch, options);
  loadLaunch()(memory.address, RUN.prepare);
  return { start: () => memory.failure ?? startCommand(memory, options) };
}

/** @see SandboxHost.launch() */
export function launchCommand(launch: Launch, options: LaunchOptions = {}): LaunchedProcess | LaunchFailure {
  options.listener?.expect();
  return startCommand(new LaunchMemory(launch, options), options);
}

function startCommand(memory: LaunchMemory, { listener }: LaunchOptions): LaunchedProcess | LaunchFailure {
  const run = loadLaunch();
  // The child shares all memory, and this thread waits, until it is the command or has ended.
  const pid = withSignalsBlocked(() => run(memory.address, RUN.start));
  if (pid < 0) return { step: 'plan', errno: errnoName(-pid) };
  const child = new LaunchedChild(pid);
  const { failure } = memory;
  if (failure !== undefined) child.wait();
  if (memory.listener !== undefined) {
    if (failure === undefined && listener !== undefined) listener.take(memory.listener);
    else syscall('close', memory.listener);
  }
  return failure ?? child;
}

/** A child that no runtime knows. */
class LaunchedChild implements LaunchedProcess {
  readonly pid: number;
  readonly #exited = Promise.withResolvers<ProcessExit>();
  #isOver = false;

  constructor(pid: number) {
    this.pid = pid;
  }

  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  look(): void {
    this.#reap(this.pid, WEXITED | WNOHANG);
    if (!this.#isOver) this.#lookAtThreads();
  }

  /** One that has asked to be traced stays when it has ended, and its process with it, until this process has seen that; the kernel knows of no others here. */
  #lookAtThreads(): void {
    for (const thread of threadsOf(this.pid).map(Number)) if (thread !== this.pid) this.#reap(thread, WEXITED | WNOHANG | WALL);
  }

  /** It has ended, or is about to. */
  wait(): void {
    this.#reap(this.pid, WEXITED);
  }

  kill(signal: number): void {
    if (!this.#isOver) trySyscall('kill', this.pid, signal);
  }

  #reap(pid: number, options: number): void {
    if (this.#isOver) return;
    const details = fixedBuffer(SIGINFO_BYTES);
    const view = new DataView(details.buffer);
    const failure = trySyscall('waitid', P_PID, pid, addressOf(details), options);
    if (failure < 0 && pid === this.pid) throw new SystemError('waitid', errnoName(-failure));
    if (view.getInt32(PID_AT, true) !== pid) return;
    const status = view.getInt32(STATUS_AT, true);
    const code = view.getInt32(CODE_AT, true);
    if (code === CLD_TRAPPED) {
      // It asked to be traced by its parent (PTRACE_TRACEME), and stopped at a signal, or at the start of another program: it goes on as if nobody did.
      trySyscall('ptrace', PTRACE_DETACH, pid, 0, status === SIGTRAP ? 0 : status);
      return;
    }
    if (pid !== this.pid) return;
    this.#isOver = true;
    const hasExited = code === CLD_EXITED;
    this.#exited.resolve(hasExited ? { code: status, signal: null } : { code: null, signal: status });
  }
}
