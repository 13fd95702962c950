import { type Bytes, bufferFromBytes, bytesFromBuffer } from '../bytes.ts';
import type { LandlockRuleset } from './linux/landlock.ts';

/** Hidden first argument that turns nono's executable into the launcher of a command. */
export const LAUNCHER_ROLE = '__launch';

/** What the launcher does, in numbers and absolute paths: it decides nothing. */
export interface Launch {
  /** The process that the command must not outlive; 0 when nothing supervises it. */
  readonly supervisorPid: number;
  readonly landlock: LandlockRuleset;
  /** The seccomp filter, as the kernel reads it (assembleFilter()). */
  readonly filter: Bytes;
  /** What the filter's mediator is told (encodeMediation()), a unit for each byte; null for a filter that hands nothing over. */
  readonly mediation: Bytes | null;
  /** The mediator asks about what the plan does not give. */
  readonly asks?: boolean;
  /** Low 32 bits of the capability sets; all above are dropped. */
  readonly capabilities: number;
  readonly workingDirectory: Bytes;
  readonly executables: readonly Bytes[];
  readonly command: readonly Bytes[];
  readonly environment: readonly Bytes[];
  readonly signals: SignalState;
  /** How many descriptors it may have until it asks for more (the soft limit); undefined for as many as this process. */
  readonly descriptors?: number | undefined;
  /** What sandbox_init(3) is given; on macOS only, where the fields of Landlock and seccomp mean nothing. */
  readonly seatbelt?: Bytes;
  /** Instead of becoming the command: what is tried once the sandbox is on, to tell how the kernel answers. */
  readonly attempts?: readonly Attempt[];
}

/** One harmless thing to try: nothing is created, changed or waited for. */
export interface Attempt {
  /**
   * Open for reading or for writing; rename an entry of a directory to its own name, which needs the right to remove and to
   * make it there; ask whether permissions let something be read or written, the entries of a directory be changed, or a socket be
   * connected to; connect to one with a socket that is connected already, for streams or for datagrams, which whoever listens there does not notice: EPROTOTYPE
   * says that the one there is of another type.
   */
  readonly call:
    | 'read'
    | 'write'
    | 'rename'
    | 'read-permissions'
    | 'write-permissions'
    | 'directory-permissions'
    | 'socket-permissions'
    | 'connect'
    | 'connect-datagram';
  readonly path: Bytes;
}

/** For each attempt null when it worked, else the symbolic errno. */
export type AttemptResults = readonly (string | null)[];

/** Signal settings that the caller had and that the command must find again. */
export interface SignalState {
  /** Signal numbers that are ignored. */
  readonly ignored: readonly number[];
  /** Signal numbers that are blocked. */
  readonly blocked: readonly number[];
}

/** Where a launch can fail, in the order in which it is done; `plan` is the child itself. */
export type LaunchStep =
  | 'plan'
  | 'supervisor'
  | 'directory'
  | 'capabilities'
  | 'privileges'
  | 'ruleset'
  | 'rule'
  | 'restrict'
  | 'signals'
  | 'filter'
  | 'descriptors'
  | 'execute';

/** The step that failed; before `execute` returned nothing of the command has run. */
export interface LaunchFailure {
  readonly step: LaunchStep;
  /** Symbolic, such as "ENOENT". */
  readonly errno: string;
  /** What the step was about, where it is one thing. */
  readonly path?: Bytes;
  /** Where the links of that path led, of a program that was refused. */
  readonly target?: Bytes;
}

/** The message to the launcher: JSON with one character for each byte. */
export function encodeLaunch(launch: Launch): Uint8Array {
  return bufferFromBytes(JSON.stringify(launch) as Bytes);
}

/** The reverse; only nono itself writes such a message, so its form is not checked. */
export function decodeLaunch(message: Uint8Array): Launch {
  return JSON.parse(bytesFromBuffer(message)) as Launch;
}

/** What the launcher answers when it fails; it closes the channel without a word when it becomes the command. */
export function encodeLaunchFailure(failure: LaunchFailure): Uint8Array {
  return bufferFromBytes(JSON.stringify(failure) as Bytes);
}

/** What the launcher answers when it was told to try things: the results, or why the sandbox could not be applied. */
export function encodeAttemptResults(results: AttemptResults | LaunchFailure): Uint8Array {
  return bufferFromBytes(JSON.stringify(results) as Bytes);
}

/** @returns undefined when the launcher died before it could answer. */
export function decodeAttemptResults(message: Uint8Array): AttemptResults | LaunchFailure | undefined {
  return message.length === 0 ? undefined : (JSON.parse(bytesFromBuffer(message)) as AttemptResults | LaunchFailure);
}
