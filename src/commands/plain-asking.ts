import { displayBytes } from '../bytes.ts';
import type { Mediating } from '../ports/sandbox-host.ts';
import { hookInput, programName } from '../session/approval-host.ts';
import { Approvals } from '../session/approvals.ts';
import type { LiveSession } from '../session/live-session.ts';
import { accessWord, type Question } from '../session/question.ts';
import { textEnvironment } from './ask-timeout.ts';
import type { PlainRun } from './plain-run.ts';

/** The questions of a command that runs on the streams of its caller: nobody is asked there, others answer. */
export interface PlainAsking {
  readonly approvals: Approvals;
  readonly onQuestions: (data: Uint8Array) => void;
  readonly answersGoTo: (mediating: Mediating) => void;
  /** The session can be reached: before that nobody is told how to answer. */
  readonly canBeReached: () => void;
}

export async function startAsking({ context, id, config, askTimeoutMs }: PlainRun, live: LiveSession): Promise<PlainAsking> {
  const { files, clock, environment, loadHookRunner, notify } = context;
  const hook = config?.approvals.notify;
  const runHook = hook === undefined ? undefined : await loadHookRunner(textEnvironment(environment));
  let mediating: Mediating | undefined;
  const reachable = Promise.withResolvers<void>();
  async function announce(question: Question): Promise<void> {
    await reachable.promise;
    notify(waitingLine(question));
    if (hook !== undefined) runHook?.(hook, hookInput(question, { sessionId: id, name: live.name, clock }));
  }
  const approvals: Approvals = new Approvals({
    sessionId: id,
    clock,
    timeoutMs: askTimeoutMs,
    answer: (message) => mediating?.answer(message),
    audit: (event) => live.audit(event),
    programOf: (pid) => programName(files, pid),
    onAsked: (question) => void announce(question),
    onChanged: () => live.hasPending(approvals.pending.length),
  });
  return {
    approvals,
    onQuestions: (data) => approvals.take(data),
    answersGoTo(to) {
      mediating = to;
    },
    canBeReached: () => reachable.resolve(),
  };
}

function waitingLine({ id, access, paths: [path], program }: Question): string {
  const who = program ?? 'The command';
  const what = path === undefined ? '' : displayBytes(path);
  return `${who} waits to ${accessWord(access)} ${what}: answer with \`nono allow ${id}\` or \`nono deny ${id}\` in another terminal`;
}
