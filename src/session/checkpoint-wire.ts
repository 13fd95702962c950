import type { Bytes } from '../bytes.ts';
import type { CaptureLimits } from '../rollback/capture-input.ts';
import type { StartFailure } from './start-wire.ts';

/** Hidden first argument that turns nono's executable into a process that takes one checkpoint and ends. */
export const CHECKPOINT_ROLE = '__checkpoint';

/** What that process is told, one line of JSON. */
export interface CheckpointOrder {
  readonly stateDirectory: Bytes;
  /** The rollback session. */
  readonly id: Bytes;
  /** The text's bytes. */
  readonly label: Bytes;
  readonly limits: CaptureLimits;
  readonly isOnlyIfChanged: boolean;
  /** The process that holds the session's lock. */
  readonly ownerPid: number;
}

/** Its one answer. */
export type CheckpointReport = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: StartFailure };
