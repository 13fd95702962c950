import type { Clock } from '../ports/clock.ts';
import type { Connection, ConnectionHandlers } from '../ports/socket.ts';
import { answerAbout } from './approval-requests.ts';
import type { Approvals } from './approvals.ts';
import type { Actor } from './audit-event.ts';
import type { ControlRequest } from './control-requests.ts';
import { Hub } from './hub.ts';
import type { HubHost, RequestOutcome } from './hub-host.ts';
import type { LiveSession } from './live-session.ts';
import type { SessionEnd } from './messages.ts';
import { SessionScreen } from './screen.ts';
import type { TreeEnding } from './tree-ending.ts';

export interface PlainSessionDeps {
  readonly sessionId: string;
  readonly live: LiveSession;
  readonly ending: TreeEnding;
  /** Somebody wants the session to end, at once when forced. */
  readonly endWanted: (isForced: boolean) => void;
  /** Takes a snapshot of the session as it is now. */
  readonly checkpoint: (label: string) => Promise<RequestOutcome>;
  readonly rename: (name: string) => Promise<RequestOutcome>;
  /** Undefined where nobody is asked. */
  readonly approvals: Approvals | undefined;
  readonly clock: Clock;
}

/** The control socket's side of a session whose command runs on the streams of its caller: nobody can attach. */
export class PlainSession {
  readonly #deps: PlainSessionDeps;
  readonly #hub: Hub;

  constructor(deps: PlainSessionDeps) {
    this.#deps = deps;
    const { sessionId, live } = deps;
    const host: HubHost = {
      sessionId,
      hasTerminal: false,
      name: () => live.name,
      status: () => live.status,
      type: () => undefined,
      resize: () => undefined,
      hasBegun: () => true,
      request: (request, actor) => this.#request(request, actor),
      audit: (event) => live.audit(event),
      questions: () => [],
      decide: () => undefined,
      nowMs: () => 0,
      propose: () => Promise.resolve(undefined),
      decideForGood: () => Promise.resolve(),
      attachmentChanged: () => undefined,
    };
    this.#hub = new Hub(host, unseenScreen());
  }

  accept(connection: Connection): ConnectionHandlers {
    return this.#hub.accept(connection);
  }

  progress(line: string): void {
    this.#hub.progress(line);
  }

  /** The last word to every client. */
  close(end: SessionEnd): Promise<void> {
    return this.#hub.end(end);
  }

  #request(request: ControlRequest, actor: Actor): RequestOutcome | Promise<RequestOutcome> {
    const { live, ending, endWanted } = this.#deps;
    switch (request.verb) {
      case 'status':
      case 'detach':
        return { isDone: true, changed: false };
      case 'stop':
        live.audit({ event: 'stop', timeout_ms: request.timeoutMs, signal: null, ...actor });
        ending.end(request.timeoutMs);
        endWanted(request.timeoutMs === 0);
        return { isDone: true, changed: true };
      case 'send':
      case 'screen':
      case 'log':
        return { isDone: false, code: 'no_terminal', message: 'it has no terminal of its own' };
      case 'checkpoint':
        return this.#deps.checkpoint(request.label);
      case 'rename':
        return this.#rename(request.name, actor);
      case 'approvals':
      case 'decide':
        return answerAbout(this.#deps.approvals, request, { actor, clock: this.#deps.clock });
    }
  }

  async #rename(name: string, actor: Actor): Promise<RequestOutcome> {
    const outcome = await this.#deps.rename(name);
    if (outcome.isDone && outcome.changed) this.#deps.live.audit({ event: 'rename', name, ...actor });
    return outcome;
  }
}

/** Nothing is ever written to it and nobody is shown it, so that no model is loaded. */
function unseenScreen(): SessionScreen {
  return new SessionScreen({
    size: { columns: 80, rows: 24 },
    scrollbackLines: 0,
    load: () => import('../terminal/drawing.ts'),
    answer: () => undefined,
    memory: { residentBytes: () => 0, collectGarbage: () => undefined },
    nowMs: () => 0,
  });
}
