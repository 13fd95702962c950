import { type Bytes, type StoredBytes, storeBytes } from '../bytes.ts';
import type { ProcessIdentity } from '../ports/processes.ts';
import type { Enforced } from '../sandbox/linux/landlock.ts';
import type { Network } from '../sandbox/plan.ts';
import type { AuditHead } from './audit-read.ts';
import type { Shared } from './shared.ts';

/** The newest form of record that this code reads and the one that it writes. */
export const RECORD_FORMAT = 1;

/** What the session may do on the network, in a word. */
type NetworkMode = Network['mode'];

/** Whether a terminal is with the session. */
export type Attachment = 'attached' | 'detached';

/** Where a session is in its life; a reader finds out about `lost` itself. */
export type SessionStatus = 'starting' | 'running' | 'paused' | 'exited';

/** What of a session is fixed when it starts. */
export interface SessionIdentity {
  readonly id: string;
  readonly name: string;
  readonly command: readonly Bytes[];
  readonly workingDirectory: Bytes;
  readonly profile: string;
  readonly hostName: string;
  readonly supervisor: ProcessIdentity;
  /** RFC 3339. */
  readonly started: string;
  readonly network: NetworkMode;
  readonly shared: Shared;
  readonly enforced: Enforced;
  /** Whether the command has a terminal of its own, so that it can be attached to. */
  readonly hasTerminal: boolean;
}

/** What changes while it lives. */
export interface SessionState {
  readonly status: SessionStatus;
  /** Without a terminal of its own a session cannot be left: it is with its caller until it ends. */
  readonly attachment: Attachment;
  readonly childPid: number | null;
  readonly rollbackSession: string | null;
  readonly ended: string | null;
  /** 128 + N when signal N ended the command. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What went wrong after the command had ended; it does not change how the command ended. */
  readonly failure: string | null;
  /** Where the audit log stood when the session ended. */
  readonly auditHead: AuditHead | null;
  /** Questions that wait for an answer. */
  readonly pendingApprovals: number;
}

export const STARTING: SessionState = {
  status: 'starting',
  attachment: 'attached',
  childPid: null,
  rollbackSession: null,
  ended: null,
  exitCode: null,
  signal: null,
  failure: null,
  auditHead: null,
  pendingApprovals: 0,
};

/**
 * `sessions/<id>.json`, field by field as it is on disk: one JSON object in UTF-8, mode 0600, replaced as a
 * whole. A reader ignores fields that it does not know and refuses a `format` above its own. While the file
 * is locked (flock) the supervisor lives; its modification time is the last heartbeat.
 */
export interface SessionRecord {
  /** 1. */
  readonly format: number;
  /** Six hex digits, the same as in the file's name. */
  readonly session_id: string;
  /** `[A-Za-z0-9][A-Za-z0-9._-]*`, unique among live sessions. */
  readonly name: string;
  readonly status: SessionStatus;
  readonly attachment: Attachment;
  readonly supervisor_pid: number;
  /** Clock ticks since boot: the pid means this process only while they agree. */
  readonly supervisor_start: number;
  /** Inode number: pids mean nothing in another one. */
  readonly pid_namespace: number;
  readonly boot_id: string;
  readonly host: string;
  /** The command's process; null before it runs. */
  readonly child_pid: number | null;
  /** RFC 3339 with offset, as all times. */
  readonly started: string;
  readonly ended: string | null;
  /** 128 + N when signal N ended the command; null before the end. */
  readonly exit_code: number | null;
  /** "SIGTERM"; null when it ended by itself. */
  readonly signal: string | null;
  /** Words; one that is not UTF-8 is `{ "base64": … }`, as in all paths. */
  readonly command: readonly StoredBytes[];
  readonly profile: string;
  readonly workdir: StoredBytes;
  readonly network: NetworkMode;
  /** Whether it can be attached to. Where it is true the supervisor makes a socket that is gone anew at SIGUSR1. */
  readonly terminal: boolean;
  readonly rollback_session: string | null;
  /** What the command was given; absent in the records of an older nono. */
  readonly shared?: Shared;
  /** What the kernel took. */
  readonly enforced: Enforced;
  readonly pending_approvals: number;
  /** What went wrong after the command had ended. */
  readonly failure: string | null;
  /** Number of lines of the audit log at the end, and the last one's SHA-256 in hex digits; null before the end. */
  readonly audit: AuditHead | null;
}

export function makeRecord(identity: SessionIdentity, state: SessionState): SessionRecord {
  const { supervisor } = identity;
  return {
    format: RECORD_FORMAT,
    session_id: identity.id,
    name: identity.name,
    status: state.status,
    attachment: state.status === 'exited' ? 'detached' : state.attachment,
    supervisor_pid: supervisor.pid,
    supervisor_start: supervisor.startTicks,
    pid_namespace: supervisor.pidNamespace,
    boot_id: supervisor.bootId,
    host: identity.hostName,
    child_pid: state.childPid,
    started: identity.started,
    ended: state.ended,
    exit_code: state.exitCode,
    signal: state.signal,
    command: identity.command.map(storeBytes),
    profile: identity.profile,
    workdir: storeBytes(identity.workingDirectory),
    network: identity.network,
    terminal: identity.hasTerminal,
    rollback_session: state.rollbackSession,
    shared: identity.shared,
    enforced: identity.enforced,
    pending_approvals: state.status === 'exited' ? 0 : state.pendingApprovals,
    failure: state.failure,
    audit: state.auditHead,
  };
}
