import type { Bytes } from '../bytes.ts';
import { isWithin } from '../paths.ts';

/** What may be done below, or with, one path. Reading covers listing and executing too, see `reading`. */
export interface Access {
  /** Open to read, list, and execute: a file that can be read can be run through its interpreter anyway. */
  readonly read: boolean;
  /** Create, change, truncate, rename and remove. Never device nodes. */
  readonly write: boolean;
  /** ioctl on a device: terminals and the harmless memory devices only. */
  readonly control: boolean;
}

/** What the command may do on the network. Sockets in the file system are none of it. */
export type Network =
  | { readonly mode: 'allowed' }
  | { readonly mode: 'blocked' }
  /** TCP only: what this machine has on its loopback device. */
  | { readonly mode: 'loopback' }
  /** TCP only: connecting to and listening on these ports. */
  | { readonly mode: 'ports'; readonly connect: readonly number[]; readonly bind: readonly number[] };

/** Why a rule is there; `grant` is what the user wrote on the command line. */
export type RuleOrigin = 'system' | 'toolchain' | 'device' | 'stream' | 'temporary' | 'profile' | 'grant';

/** One path that the command may use. */
export interface PathRule {
  /** Absolute, every link resolved when the plan was made. */
  readonly path: Bytes;
  readonly isDirectory: boolean;
  readonly access: Access;
  readonly origin: RuleOrigin;
}

/**
 * Everything about one confinement, absolute and complete: the encoders, the record and whatever
 * explains or extends access later read this and nothing else. It is plain data and survives JSON.
 */
export interface Plan {
  /** At most one rule for a path, sorted by path. */
  readonly rules: readonly PathRule[];
  /** What execve(2) is tried with, in this order, as execvp(3) walks PATH. At least one. */
  readonly executables: readonly Bytes[];
  readonly command: readonly Bytes[];
  /** `NAME=VALUE`, byte for byte. */
  readonly environment: readonly Bytes[];
  /** Absolute, links resolved. */
  readonly workingDirectory: Bytes;
  /** The private TMPDIR. */
  readonly temporaryDirectory: Bytes;
  /** Variables of the caller that the command does not get, sorted. */
  readonly withheld: readonly Bytes[];
  /** Writable paths that the user granted for this run, and those that the profile wants tracked: directories and single files. */
  readonly writableGrants: readonly Bytes[];
  readonly network: Network;
  /**
   * Sockets that the command may connect and send to, datagrams included, wherever they are: absolute, links resolved,
   * sorted. One that is a directory stands for every socket below it.
   */
  readonly sockets: readonly Bytes[];
  /** Whether an open outside the grants waits for the operator instead of failing. */
  readonly asks: boolean;
  /** What no yes opens, with all that is below: nono's own state and the sensitive places; empty unless somebody is asked. */
  readonly forbidden: readonly ForbiddenPlace[];
  readonly isBestEffort: boolean;
  /** By name, or by path as it was given. */
  readonly profile: string;
  /** What the profile leaves out of snapshots. */
  readonly excludes: Excludes;
  /** Directories of the profile that are missing: made (0700) before the command starts, each after its parents. */
  readonly missingDirectories: readonly Bytes[];
  /** The same for files (0600). */
  readonly missingFiles: readonly InitialFile[];
  /** What the profile names and this machine does not have. */
  readonly skipped: readonly SkippedGrant[];
}

/** A sensitive path that stays closed while approvals are asked for. */
export interface ForbiddenPlace {
  readonly path: Bytes;
  /** Reading there is harmless. */
  readonly isWriteOnly: boolean;
}

/** A file that a profile wants to be there: absolute path, content. */
export interface InitialFile {
  readonly path: Bytes;
  readonly content: Bytes;
}

/** Relative to each tracked root, in the order of the profile. */
export interface Excludes {
  /** Lines in the syntax of ignore files; one that begins with `!` takes out of an earlier exclusion, the default names included. */
  readonly patterns: readonly Bytes[];
  /** Shell globs: of a file's name, or of its path below the root when there is a slash in it. */
  readonly globs: readonly Bytes[];
}

/** A path of the profile that gives no rule. */
export interface SkippedGrant {
  /** `FILE:LINE`. */
  readonly place: string;
  readonly path: Bytes;
  /** For people: "it does not exist". */
  readonly reason: string;
}

export const READ: Access = { read: true, write: false, control: false };
export const WRITE: Access = { read: false, write: true, control: false };
export const READ_WRITE: Access = { read: true, write: true, control: false };
export const DEVICE: Access = { read: true, write: true, control: true };

/** "reading", "writing" or "reading and writing", for people. */
export function describeAccess({ read, write }: Access): string {
  if (read && write) return 'reading and writing';
  return write ? 'writing' : 'reading';
}

/** Which reason is told of a path that has several; the last is the strongest. */
const STRENGTH: readonly RuleOrigin[] = ['system', 'toolchain', 'device', 'stream', 'temporary', 'profile', 'grant'];

/** Collects rules: the same path twice has the rights of both, and the stronger reason. */
export class RuleSet {
  readonly #rules = new Map<Bytes, PathRule>();

  add(rule: PathRule): void {
    const known = this.#rules.get(rule.path);
    if (known === undefined) {
      this.#rules.set(rule.path, rule);
      return;
    }
    this.#rules.set(rule.path, {
      ...rule,
      access: {
        read: known.access.read || rule.access.read,
        write: known.access.write || rule.access.write,
        control: known.access.control || rule.access.control,
      },
      origin: STRENGTH.indexOf(known.origin) > STRENGTH.indexOf(rule.origin) ? known.origin : rule.origin,
    });
  }

  sorted(): readonly PathRule[] {
    // By the engine's own order of strings, which is that of their bytes: hundreds of rules, sorted before each start.
    return [...this.#rules.keys()].sort().map((path) => this.#rules.get(path) as PathRule);
  }
}

/**
 * The files that the call itself lets the command write while their directories stay closed: a rule holds for the file and not for its name, so that
 * none of them can be replaced by another file, which is how many programs save.
 */
export function loneFiles({ rules }: Pick<Plan, 'rules'>): readonly Bytes[] {
  const writable = rules.filter(({ access }) => access.write);
  const directories = writable.filter(({ isDirectory }) => isDirectory);
  return writable
    .filter(
      ({ isDirectory, origin, path }) =>
        !isDirectory && origin === 'grant' && !directories.some((rule) => isWithin(path, rule.path)),
    )
    .map(({ path }) => path);
}
