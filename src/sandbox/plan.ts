import type { Bytes } from '../bytes.ts';

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
  /** TCP only: connecting to and listening on these ports. */
  | { readonly mode: 'ports'; readonly connect: readonly number[]; readonly bind: readonly number[] };

/** Why a rule is there; `grant` is what the user wrote. */
export type RuleOrigin = 'system' | 'toolchain' | 'device' | 'stream' | 'temporary' | 'grant';

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
  /** Writable paths that the user granted for this run: directories and single files. */
  readonly writableGrants: readonly Bytes[];
  readonly network: Network;
  readonly isBestEffort: boolean;
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
      origin: known.origin === 'grant' ? 'grant' : rule.origin,
    });
  }

  sorted(): readonly PathRule[] {
    return [...this.#rules.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }
}
