import type { Bytes } from '../bytes.ts';
import type { Attempt, AttemptResults, Launch, LaunchFailure, SignalState } from '../sandbox/launch.ts';
import type { Architecture } from '../sandbox/linux/seccomp-uapi.ts';
import type { LaunchedProcess, LaunchOptions, ListenerTaker } from './spawn.ts';

/** Mediates, and asks, until it is disposed of. */
export interface Mediating extends ListenerTaker, Disposable {
  /** A message to the mediator; ask-wire.ts has its form. Returns at once. */
  answer(message: Uint8Array): void;
  /** What was refused so far, in the form of decodeRefusals() (sandbox/linux/refusals.ts). */
  refusals(): Uint8Array;
}

/** Passes the listener of a filter on, before any of the command has run. */
export type HandOver = (listener: number) => void;

/** What the kernel under this process can enforce, and confining this very process. */
export interface SandboxHost {
  /** The Landlock ABI of the running kernel, 0 when it has none or it is switched off. */
  landlockAbi(): number;
  /** Whose numbers system calls have. */
  readonly architecture: Architecture;
  /** As the caller of nono set them; what the runtime itself changed is not in it. */
  callerSignals(): SignalState;
  /** The same of its soft limit of descriptors, as far as that can be told; undefined where the runtime has not changed it. */
  callerDescriptors(): number | undefined;
  /**
   * Applies everything that `launch` says to this process, in the order of LaunchStep, and becomes the
   * command. Does not return when it works. When it returns, this process may be confined already and
   * can do no more than report the failure and exit.
   *
   * An adapter that cannot enforce a step fails at that step and never skips it.
   */
  become(launch: Launch, handOver: HandOver): LaunchFailure;
  /** Whether the calls of this process are mediated already, by a nono around it. */
  isMediated(): boolean;
  /** Whether a process may look at others of its user that it did not start (Yama's ptrace_scope). */
  mediatesFromOutside(): boolean;
  /**
   * Starts what mediates for this process itself, when it has become the command. It shares this process's descriptors until it
   * is told of the listener, and ends when this process ends without a word.
   *
   * @returns what tells it.
   */
  startMediator(mediation: Bytes): HandOver;
}

/** What a process does that stays the parent of the command, or tries things for it. */
export interface ParentHost {
  /** SandboxHost.become() in a child of this process, with its streams and in its process group, which has become the command when this returns. */
  launch(launch: Launch, options?: LaunchOptions): LaunchedProcess | LaunchFailure;
  /**
   * Mediates for a command that this process starts afterwards, until its tree is gone or this process is.
   *
   * @param onQuestions Gets what the mediator says, piece by piece (ask-wire.ts), where the mediation asks.
   */
  mediate(mediation: Bytes, onQuestions?: (data: Uint8Array) => void): Mediating;
  /** Attempts of a launch from this process, which no sandbox holds back. */
  attempt(attempts: readonly Attempt[]): AttemptResults;
}
