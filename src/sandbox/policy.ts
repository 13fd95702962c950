import type { Bytes } from '../bytes.ts';
import type { PathFacts } from '../ports/path-facts.ts';
import type { Access, Network } from './plan.ts';

/** A path that the user shares, as written. */
export interface Grant {
  readonly path: Bytes;
  readonly access: Access;
  readonly kind: 'directory' | 'file';
  /** The option that said so, with its dashes: errors name it. */
  readonly option: string;
}

/** What the user wants, before anything is resolved. */
export interface Policy {
  readonly command: readonly Bytes[];
  readonly grants: readonly Grant[];
  /** Sensitive paths that grants may touch all the same. */
  readonly overrides: readonly Bytes[];
  /** Variables that pass although they would be withheld. */
  readonly passedVariables: readonly Bytes[];
  /** Variables that the command gets whatever the caller has. */
  readonly setVariables: ReadonlyMap<Bytes, Bytes>;
  /** Absolute; it need not exist yet. */
  readonly temporaryDirectory: Bytes;
  readonly network: Network;
  readonly isBestEffort: boolean;
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
