import type { Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';

/** A session without a socket sends no event; its supervisor's process is looked at so often. */
const LOOK_AGAIN_MS = 25;

/** Waits until the supervisor is gone. @returns false when it is still there after `timeoutMs`. */
export async function supervisorGone(
  context: Context,
  { record }: Session,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const { processes } = await context.loadSandbox();
  const endMs = context.clock.monotonicMs() + timeoutMs;
  while (processes.startTicks(record.supervisor_pid) === record.supervisor_start) {
    if (context.clock.monotonicMs() >= endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  return true;
}
