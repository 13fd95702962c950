import type { Bytes } from '../bytes.ts';
import type { PathFacts } from '../ports/path-facts.ts';
import type { Access, Excludes, Network } from './plan.ts';

/** A path that the user or the profile shares, as written. */
export interface Grant extends Source {
  readonly path: Bytes;
  readonly access: Access;
  readonly kind: 'directory' | 'file';
  /** Made when it is missing, a file with this in it; only a profile asks for that. */
  readonly made?: { readonly content: Bytes };
}

/** Who said it: errors name it. */
export interface Source {
  /** The option with its dashes, or the key of the profile. */
  readonly option: string;
  /** `FILE:LINE` of the profile; undefined for an option. */
  readonly place?: string;
}

/** A path as written, and who wrote it. */
export interface SourcedPath extends Source {
  readonly path: Bytes;
}

/** What the user wants, before anything is resolved. */
export interface Policy {
  readonly command: readonly Bytes[];
  readonly grants: readonly Grant[];
  /** Sensitive paths that grants may touch all the same. */
  readonly overrides: readonly Bytes[];
  /** Sockets outside the grants that may be connected to. */
  readonly sockets: readonly SourcedPath[];
  /** Paths of the profile whose changes are tracked beside the grants of the command line. */
  readonly tracked: readonly SourcedPath[];
  /** Variables that pass although they would be withheld. */
  readonly passedVariables: readonly Bytes[];
  /** Variables that the profile withholds: names, or beginnings that end with `*`. */
  readonly deniedVariables: readonly Bytes[];
  /** Variables that the command gets whatever the caller has. */
  readonly setVariables: ReadonlyMap<Bytes, Bytes>;
  /** Absolute; it need not exist yet. */
  readonly temporaryDirectory: Bytes;
  readonly network: Network;
  readonly asks: boolean;
  readonly isBestEffort: boolean;
  /** By name, or by path as it was given. */
  readonly profile: string;
  readonly excludes: Excludes;
}

/** The facts that a policy is resolved against. */
export interface World {
  readonly facts: PathFacts;
  readonly environment: ReadonlyMap<Bytes, Bytes>;
  /** Absolute, links resolved, as all three. */
  readonly homeDirectory: Bytes;
  readonly workingDirectory: Bytes;
  readonly stateDirectory: Bytes;
  readonly uid: number;
}

const ROOT_UID = 0;

/** Whether permissions do not hold the command back, so that the plan has to. */
export function isRoot({ uid }: Pick<World, 'uid'>): boolean {
  return uid === ROOT_UID;
}
