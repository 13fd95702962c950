import type { Bytes } from '../bytes.ts';
import type { Background } from '../ports/background.ts';
import type { Clock } from '../ports/clock.ts';
import type { StartContentWorkers } from '../ports/content-workers.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { FreeBytes } from '../ports/disk-space.ts';
import type { SyncDisk } from '../ports/disk-sync.ts';
import type { Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { PathFacts } from '../ports/path-facts.ts';
import type { KeepTree } from '../ports/process-tree.ts';
import type { Processes } from '../ports/processes.ts';
import type { ParentHost, SandboxHost } from '../ports/sandbox-host.ts';
import type { Signals } from '../ports/signals.ts';
import type { Sockets } from '../ports/socket.ts';
import type { Spawn } from '../ports/spawn.ts';
import type { TakeElsewhere } from '../ports/take-process.ts';
import type { OpenUserTerminal } from '../ports/user-terminal.ts';
import type { RunHook } from '../session/approval-host.ts';

/** What main() knows of the world and hands to a verb; the verbs read nothing else. */
export interface Context {
  readonly files: Files;
  readonly hash: Hash;
  readonly clock: Clock;
  /** The caller's environment as the kernel gave it; the first of two entries of one name wins. */
  readonly environment: ReadonlyMap<Bytes, Bytes>;
  /** Absolute, links resolved; undefined when it has vanished. */
  readonly workingDirectory: Bytes | undefined;
  /** Absolute, links resolved. */
  readonly homeDirectory: Bytes;
  /** `~/.nono` or NONO_HOME; may not exist yet. */
  readonly stateDirectory: Bytes;
  readonly uid: number;
  readonly pid: number;
  readonly hostName: string;
  /** nono's own executable, absolute. */
  readonly executable: Bytes;
  readonly version: string;
  readonly terminal: TerminalFacts;
  /** One line on stderr, `[nono] ` before it. */
  readonly notify: (line: string) => void;
  /** One line on stderr that is drawn anew with each call and goes with undefined; nothing where stderr is no terminal. */
  readonly showProgress: (text: string | undefined) => void;
  /** While the result is held, a signal that ends this process has a line on stderr said first. */
  readonly sayWhenEnded: (line: () => string) => Disposable;
  /** Asks on the terminal; anything but yes is no. Only where stdin and stderr are terminals. */
  readonly confirm: (question: string) => boolean;
  /** So many random bytes, as hex digits. */
  readonly randomHex: (sizeBytes: number) => string;
  /** Loads what compresses binary files for a patch. */
  readonly loadDeflate: () => Promise<Deflate>;
  /** Loads what tells how full a disk is. */
  readonly loadDiskSpace: () => Promise<FreeBytes>;
  /** Loads what waits for a disk in a thread of its own. */
  readonly loadDiskSync: () => Promise<SyncDisk>;
  /** Loads what starts the threads that read contents. */
  readonly loadContentWorkers: () => Promise<StartContentWorkers>;
  /** Another process for the snapshots of large trees. */
  readonly loadTakeElsewhere: () => Promise<TakeElsewhere>;
  /** What planning and applying a sandbox takes; loaded only by the verbs that do. */
  readonly loadSandbox: () => Promise<SandboxAdapters>;
  /** What the parent of a command needs beside that. */
  readonly loadParent: () => Promise<ParentAdapters>;
  /** Signals alone, for who is no parent. */
  readonly loadSignals: () => Promise<Signals>;
  /** What starts processes that outlive this one. */
  readonly loadBackground: () => Promise<Background>;
  /** What sessions are talked to by. */
  readonly loadSockets: () => Promise<Sockets>;
  /** What opens the terminal of stdin and stdout, where both are one. */
  readonly loadUserTerminal: () => Promise<OpenUserTerminal>;
  /** Makes a terminal as a session's and lets go of it. @throws {SystemError} */
  readonly loadTerminalTrial: () => Promise<() => void>;
  /** What runs a hook of the user's. */
  readonly loadHookRunner: (environment: Readonly<Record<string, string>>) => Promise<RunHook>;
  /** All of stdin. */
  readonly readInput: () => Promise<Uint8Array>;
}

export interface SandboxAdapters {
  readonly facts: PathFacts;
  readonly host: SandboxHost;
  readonly processes: Processes;
}

export interface ParentAdapters {
  readonly host: ParentHost;
  readonly spawn: Spawn;
  readonly signals: Signals;
  readonly keepTree: KeepTree;
}

export interface TerminalFacts {
  readonly isStdinTerminal: boolean;
  readonly isStdoutTerminal: boolean;
  readonly isStderrTerminal: boolean;
  /** Of stdout; 80 when it is no terminal. */
  readonly columns: number;
  /** Whether nono's own output on stdout and on stderr may use colour. */
  readonly colourStdout: boolean;
  readonly colourStderr: boolean;
}
