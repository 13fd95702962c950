import type { Clock } from '../ports/clock.ts';
import { ENDINGS } from './approval-states.ts';
import type { Approvals } from './approvals.ts';
import type { Actor } from './audit-event.ts';
import type { ControlRequest } from './control-requests.ts';
import type { RequestOutcome } from './hub-host.ts';
import { questionDocument } from './question.ts';

type ApprovalRequest = Extract<ControlRequest, { verb: 'approvals' | 'decide' }>;

/** What a client is told about the questions of a session, or does with one of them. */
export async function answerAbout(
  approvals: Approvals | undefined,
  request: ApprovalRequest,
  { actor, clock }: { readonly actor: Actor; readonly clock: Clock },
): Promise<RequestOutcome> {
  if (request.verb === 'decide') {
    const { number, decision, note, paths } = request;
    const question = approvals?.pending.find((one) => one.number === number);
    if (question !== undefined && paths !== undefined && ENDINGS[decision].isAllowed && question.paths.length !== paths)
      return { isDone: false, code: 'refused', message: `it is about more by now, see ${question.id}` };
    const isDone = approvals?.decide(number, decision, { actor, note }) ?? false;
    return { isDone: true, changed: isDone };
  }
  if (request.since !== undefined) await approvals?.changedSince(request.since);
  const questions = (approvals?.pending ?? []).map((question) => questionDocument(question, clock));
  const content = Buffer.from(JSON.stringify({ version: approvals?.version ?? 0, questions }), 'utf8');
  return { isDone: true, changed: false, content };
}
