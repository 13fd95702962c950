import type { Bytes } from '../../bytes.ts';
import { isErrno } from '../../errors.ts';
import type { Directory } from '../../ports/files.ts';
import { auditFileName } from '../../session/audit-log.ts';
import { type ReadAudit, readAudit } from '../../session/audit-read.ts';
import { isSessionId } from '../../session/names.ts';
import { readWhole } from '../../session/read-whole.ts';
import type { Session } from '../../session/sessions.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';
import { sessionsPath } from '../session/open-sessions.ts';

const EXTENSION = auditFileName('');

/** The log of one session, followed from its first line to its last. A log that is missing has a break at line 1. */
export interface SessionAudit extends ReadAudit {
  readonly id: string;
  /** As they are on disk. */
  readonly text: Bytes;
}

/** @param session Undefined where its record cannot be read: then the end of the log is not checked against it. */
export function readSessionAudit(context: Context, id: string, session: Session | undefined): SessionAudit {
  const text = readText(context, id);
  const recorded = session?.record.audit ?? undefined;
  const read = readAudit(text ?? ('' as Bytes), context.hash, text === undefined ? undefined : recorded);
  // A session that is only starting has a record before it has a log.
  const isMissing = text === undefined && session?.record.status !== 'starting';
  const breaks = isMissing ? [{ line: 1, reason: 'the log is missing' }] : read.breaks;
  return { ...read, breaks, id, text: text ?? ('' as Bytes) };
}

/** Ids of all logs and of all records. */
export function auditedIds(context: Context, sessions: readonly Session[]): readonly string[] {
  using directory = openSessionsDirectory(context);
  const logs = (directory?.names() ?? [])
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length));
  const ids = [...sessions.map(({ record }) => record.session_id), ...logs.filter(isSessionId).toSorted()];
  return [...new Set(ids)];
}

function readText(context: Context, id: string): Bytes | undefined {
  using directory = openSessionsDirectory(context);
  try {
    using file = directory?.openFile(auditFileName(id));
    return file === undefined || file.stat().kind !== 'file' ? undefined : readWhole(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'ENXIO')) return undefined;
    throw error;
  }
}

function openSessionsDirectory(context: Context): Directory | undefined {
  return openStateDirectory(context.files, sessionsPath(context), context.uid, { create: false });
}
