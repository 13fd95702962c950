import { hasItsSupervisor, hasOwnPids, type Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import { isStillLive } from './open-sessions.ts';

/** A session without a socket sends no event; its supervisor's process is looked at so often. */
const LOOK_AGAIN_MS = 25;

/** Waits until the supervisor is gone. @returns false when it is still there after `timeoutMs`. */
export async function supervisorGone(context: Context, session: Session, timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
  const { processes } = await context.loadSandbox();
  const self = processes.self();
  // Elsewhere another process may have its pid, and here nobody: the lock tells.
  const isThere = hasOwnPids(session.record, self)
    ? () => hasItsSupervisor(session.record, self, processes)
    : () => isStillLive(context, session);
  const endMs = context.clock.monotonicMs() + timeoutMs;
  while (await isThere()) {
    if (context.clock.monotonicMs() >= endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  return true;
}
