import type { Bytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { AuditLog } from '../../session/audit-log.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';
import { sessionsPath } from '../session/open-sessions.ts';

/** Adds a restore to the log of the session that it undoes; one that was pruned has none. @param runId Six hex digits. */
export async function recordRestore(
  context: Context,
  runId: string,
  restore: { readonly id: Bytes; readonly snapshot: number; readonly restoreId: Bytes },
): Promise<void> {
  const { files, uid, clock, hash } = context;
  try {
    using sessions = openStateDirectory(files, sessionsPath(context), uid, { create: false });
    const log = sessions === undefined ? undefined : AuditLog.reopen(sessions, runId, { clock, hash });
    if (log === undefined) return;
    const { id, snapshot, restoreId } = restore;
    log.record({ event: 'restore', rollback_session: id, snapshot, restore_session: restoreId });
    await log.sync('meanwhile');
    log.close();
  } catch (error) {
    // What was restored is restored.
    if (!(error instanceof SystemError)) throw error;
    context.notify(`The restore is missing in the audit log of session ${runId}: ${error.message}`);
  }
}
