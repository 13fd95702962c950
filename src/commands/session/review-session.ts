import { type Bytes, bytesFromText } from '../../bytes.ts';
import { describeFailure } from '../../errors.ts';
import type { Context } from '../context.ts';
import { openById } from './open-sessions.ts';

/**
 * Asks the terminal that a command has just ended on to review what it has changed. Nothing that goes wrong here hides
 * how the command ended: it is said, and the review can be had later.
 */
export async function reviewSession(context: Context, id: string): Promise<void> {
  try {
    const record = (await openById(context, id as Bytes))?.record;
    // What was pruned meanwhile may have had snapshots: `rollback list` has them still.
    if (record === undefined || record.rollback_session === null || record.failure !== null) return;
    const { reviewAtEnd } = await import('../rollback/review.ts');
    await reviewAtEnd(context, bytesFromText(record.rollback_session));
  } catch (error) {
    for (const line of describeFailure(error).text.split('\n')) context.notify(line);
  }
}
