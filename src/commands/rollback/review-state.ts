import type { Bytes } from '../../bytes.ts';
import { NonoError } from '../../errors.ts';
import { isReviewed } from '../../rollback/reviewed.ts';
import { isRollbackId } from '../../rollback/session-id.ts';
import { totalOf } from '../../ui/change-lines.ts';
import type { Context } from '../context.ts';
import { openStore } from './open-store.ts';

/** Whether somebody has looked through what a session changed; null without changes, a final snapshot or the session. */
export function reviewState(context: Context, id: Bytes | null): boolean | null {
  if (id === null) return null;
  const { store } = openStore({ ...context, notify: () => undefined });
  if (store === undefined || !isRollbackId(id) || !store.ids().includes(id)) return null;
  try {
    using session = store.open(id);
    const { counts } = session.manifest;
    return counts === undefined || totalOf(counts) === 0 ? null : isReviewed(session.directory);
  } catch (error) {
    if (error instanceof NonoError) return null;
    throw error;
  }
}
