import type { Bytes } from '../bytes.ts';
import type { ProcessExit } from '../ports/spawn.ts';
import type { Launch, LaunchFailure } from '../sandbox/launch.ts';

/** Hidden first argument that turns nono's executable into the guardian of a command. */
export const GUARDIAN_ROLE = '__guard';

/** What the supervisor tells the guardian. */
export type GuardianOrder =
  /** What the command is to be: what can be made ready is, while the supervisor makes the session. */
  | { readonly kind: 'prepare'; readonly launch: Launch }
  /** Starts what was prepared. `terminal`: settings that the terminal takes on before; null to leave it as it is. */
  | { readonly kind: 'launch'; readonly terminal: Bytes | null }
  /** Ends the whole tree: SIGTERM, and SIGKILL after that time. */
  | { readonly kind: 'end'; readonly graceMs: number }
  /** Sends a signal to the foreground of the terminal and to the command. */
  | { readonly kind: 'signal'; readonly signal: number }
  /** A message to the mediator (ask-wire.ts), in base64. */
  | { readonly kind: 'answer'; readonly data: string };

/** What the guardian reports. Its own end follows the last process of the tree. */
export type GuardianReport =
  | { readonly kind: 'failed'; readonly failure: LaunchFailure }
  | { readonly kind: 'started'; readonly pid: number }
  /** `signal` is what stopped the command; null when it goes on. */
  | { readonly kind: 'stopped'; readonly signal: number | null }
  /** `refused`: what the mediator refused, in base64 (sandbox/linux/refusals.ts). */
  | { readonly kind: 'ended'; readonly exit: ProcessExit; readonly refused: string }
  /** What the mediator said, in base64: a piece of a stream. */
  | { readonly kind: 'asked'; readonly data: string };
