import type { StoredBytes } from '../bytes.ts';
import type { Enforced } from '../sandbox/linux/landlock.ts';

/** The newest form of audit log that this code reads and the one that it writes. */
export const AUDIT_FORMAT = 1;

/** Who did it, as the kernel told; null where it could not tell. */
export interface Actor {
  readonly pid: number | null;
  readonly uid: number | null;
}

/** What a session did or what was done to it; fields as they are on disk (PROTOCOL.md). */
export type AuditEvent =
  | {
      readonly event: 'start';
      readonly session_id: string;
      readonly name: string;
      readonly supervisor_pid: number;
      /** Words with secrets taken out. */
      readonly command: readonly StoredBytes[];
      readonly workdir: StoredBytes;
      readonly profile: string;
      readonly network: string;
      /** SHA-256 of what the kernel is asked to enforce. */
      readonly policy_digest: string;
      readonly enforced: Enforced;
    }
  | {
      readonly event: 'executed';
      readonly child_pid: number;
      readonly executable: StoredBytes;
      /** Null when the command ended before its file was read. */
      readonly executable_digest: string | null;
    }
  | ({ readonly event: 'attach'; readonly mode: 'attach' | 'view'; readonly terminal: string } & Actor)
  | ({ readonly event: 'steal'; readonly from_pid: number | null; readonly terminal: string } & Actor)
  | ({ readonly event: 'detach'; readonly mode: 'attach' | 'view'; readonly reason: DetachReason } & Actor)
  | ({ readonly event: 'stop'; readonly timeout_ms: number; readonly signal: string | null } & Actor)
  | ({ readonly event: 'rename'; readonly name: string } & Actor)
  | ({ readonly event: 'send'; readonly bytes: number } & Actor)
  /** A request outside the grants waits for somebody. */
  | {
      readonly event: 'asked';
      readonly approval: number;
      readonly access: string;
      readonly path: StoredBytes;
      /** The thread that asks. */
      readonly pid: number;
    }
  | ({
      readonly event: 'answered';
      readonly approval: number;
      readonly verdict: ApprovalVerdict;
      /** So many requests had been put together. */
      readonly requests: number;
      /** All that the answer was about, where that is more than what `asked` names. */
      readonly paths?: readonly StoredBytes[];
      /** So many more that are not named. */
      readonly unnamed_paths?: number;
      /** What was said with it. */
      readonly note: string | null;
    } & Actor)
  /** It was allowed, and the kernel refused it, or it was something else by then. */
  | { readonly event: 'not_opened'; readonly approval: number; readonly path: StoredBytes; readonly errno: number }
  /** Refused without a question; the first of its kind. */
  | {
      readonly event: 'denied';
      readonly access: string;
      readonly path: StoredBytes;
      readonly reason: string;
      readonly pid: number;
    }
  /** What nono carries out itself and the plan does not give; told at the end. */
  | {
      readonly event: 'refused';
      readonly access: 'change' | 'connect' | 'connect to port' | 'listen on port';
      /** A path, or a port in decimal digits. */
      readonly target: StoredBytes;
      readonly requests: number;
    }
  | { readonly event: 'paused'; readonly signal: string }
  | { readonly event: 'continued' }
  | {
      readonly event: 'snapshot';
      readonly rollback_session: string;
      readonly label: string;
      /** SHA-256 of the manifest, which names the Merkle roots of all snapshots. */
      readonly manifest_digest: string | null;
    }
  | {
      readonly event: 'restore';
      readonly rollback_session: string;
      readonly snapshot: number;
      readonly restore_session: string | null;
    }
  | { readonly event: 'end'; readonly exit_code: number; readonly signal: string | null; readonly failure: string | null }
  /** So many events could not be written, from that time on. */
  | { readonly event: 'gap'; readonly lost: number; readonly since: string; readonly reason: string };

/** What somebody decided, or why nobody did: the time was up, the caller is dead, the session is over. */
export type ApprovalVerdict = 'once' | 'session' | 'folder' | 'deny' | 'deny_session' | 'timeout' | 'gone' | 'ended';

/** `asked`: by its own client; `dropped`: by `nono detach`; `stolen`; `gone`: the connection ended without a word. */
export type DetachReason = 'asked' | 'dropped' | 'stolen' | 'gone' | 'ended';
