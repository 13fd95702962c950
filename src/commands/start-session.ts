import type { Bytes } from '../bytes.ts';
import type { Config } from '../config/schema.ts';
import { EXIT, NonoError } from '../errors.ts';
import { encodeLine, LineReader } from '../json-lines.ts';
import type { BackgroundProcess } from '../ports/background.ts';
import { loneFiles, type Plan } from '../sandbox/plan.ts';
import { sharedBy } from '../session/shared.ts';
import { type AskingWish, type RollbackWish, type SessionStart, type StartReport, startError } from '../session/start-wire.ts';
import { SUPERVISOR_PROCESS } from '../session/supervisor-process.ts';
import { temporaryDirectoryPath } from '../session/temporary-directory.ts';
import { formatTimestamp } from '../time.ts';
import { askTimeoutMs, textEnvironment } from './ask-timeout.ts';
import { type Confinement, confine } from './confinement.ts';
import type { Context, SandboxAdapters } from './context.ts';
import { profilePlaces } from './load-profile.ts';
import { makeMissing } from './make-missing.ts';
import { chosenName, SESSION_VARIABLE, unusedSessionId } from './new-session.ts';
import { asksForReview, chooseExclusions, chooseInterval } from './snapshot-options.ts';
import type { ParsedCall } from './spec.ts';
import { captureLimits, loadUserConfig, retentionLimits, scrollbackLines } from './user-config.ts';

const SUPERVISOR_DIED = 'E_SUPERVISOR';

export interface StartedSession {
  readonly id: string;
  readonly name: string;
  /** Settles when the command runs; rejects with the reason when it does not, and then nothing is left behind. */
  readonly ready: Promise<void>;
}

/** How the command's terminal is to be, and whether it waits for a client. */
export type TerminalWish = Pick<SessionStart, 'size' | 'terminal' | 'waitsForClient'>;

/**
 * Starts a supervisor and waits until the session can be attached to. All questions are asked, and all that can be wrong
 * with the call is found, in this process.
 *
 * @throws {NonoError} the supervisor's own, when it could not get that far: nothing is left behind then.
 */
export async function startSession(call: ParsedCall, context: Context, wish: TerminalWish): Promise<StartedSession> {
  await loadUserConfig(context);
  const adapters = await context.loadSandbox();
  const listening = Promise.withResolvers<Pick<StartedSession, 'id' | 'name'>>();
  const ready = Promise.withResolvers<void>();
  // Whoever waits for them hears of a failure; when the call itself is wrong nobody does.
  for (const { promise } of [listening, ready]) promise.catch(() => undefined);
  const fail = (error: NonoError) => {
    listening.reject(error);
    ready.reject(error);
  };
  const lines = new LineReader<StartReport>('the supervisor');
  // First, because it takes as long to start as the plan takes to make; without instructions it ends by itself.
  const supervisor = (await context.loadBackground()).start({
    ...SUPERVISOR_PROCESS,
    onMessage(data) {
      try {
        for (const report of lines.push(data)) take(report);
      } catch (error) {
        if (!(error instanceof NonoError)) throw error;
        fail(error);
      }
      if (data.length === 0) fail(supervisorDied());
    },
  });
  function take(report: StartReport): void {
    if (report.kind === 'progress') context.notify(report.line);
    else if (report.kind === 'status') context.showProgress(report.text ?? undefined);
    else if (report.kind === 'failed') fail(startError(report.error));
    else listening.resolve({ id: report.id, name: report.name });
    if (report.kind === 'ready') ready.resolve();
  }
  try {
    supervisor.send(encodeLine(await describeStart({ call, context, adapters, supervisor, wish })));
    const session = await listening.promise;
    return { ...session, ready: ready.promise };
  } catch (error) {
    supervisor.close();
    throw error;
  }
}

interface StartInput {
  readonly call: ParsedCall;
  readonly context: Context;
  readonly adapters: SandboxAdapters;
  readonly supervisor: BackgroundProcess;
  readonly wish: TerminalWish;
}

async function describeStart({ call, context, adapters, supervisor, wish }: StartInput): Promise<SessionStart> {
  const { clock, hostName, homeDirectory, stateDirectory, uid } = context;
  const { processes } = adapters;
  const id = unusedSessionId(context);
  const owner = { ...processes.self(), pid: supervisor.pid, startTicks: processes.startTicks(supervisor.pid) ?? 0 };
  const temporaryDirectory = temporaryDirectoryPath(context, id, owner);
  const setVariables = new Map([[SESSION_VARIABLE, id as Bytes]]);
  const confinement = await confine(call, context, adapters, { temporaryDirectory, setVariables, hasTerminal: true });
  const { plan } = confinement;
  const wantsRollback = call.flags.has('rollback');
  const rollback = wantsRollback ? await describeRollback(call, context, plan) : null;
  makeMissing(context, plan);
  return {
    identity: {
      id,
      command: plan.command,
      workingDirectory: plan.workingDirectory,
      profile: plan.profile,
      hostName,
      supervisor: owner,
      started: formatTimestamp(clock.nowMs(), clock.utcOffsetMinutes(clock.nowMs())),
      network: plan.network.mode,
      shared: sharedBy(plan),
      enforced: confinement.enforced,
      hasTerminal: true,
    },
    chosenName: chosenName(call) ?? null,
    stateDirectory,
    temporaryDirectory,
    launch: launchOf(confinement),
    rollback,
    homeDirectory,
    loneFiles: loneFiles(plan),
    uid,
    scrollbackLines: scrollbackLines(await loadUserConfig(context)),
    asking: plan.asks ? describeAsking(call, context, await loadUserConfig(context)) : null,
    ...wish,
  };
}

function describeAsking(call: ParsedCall, context: Context, config: Config | undefined): AskingWish {
  const command = config?.approvals.notify;
  const hook = command === undefined ? null : { command, environment: textEnvironment(context.environment) };
  const { directory: profilesDirectory } = profilePlaces(context);
  return { timeoutMs: askTimeoutMs(call, config), hook, profilesDirectory };
}

async function describeRollback(call: ParsedCall, context: Context, plan: Plan): Promise<RollbackWish> {
  const { checkRoots } = await import('./run-snapshots.ts');
  checkRoots(plan);
  const config = await loadUserConfig(context);
  return {
    writableGrants: plan.writableGrants,
    exclusions: chooseExclusions(call, plan),
    limits: captureLimits(config),
    retention: retentionLimits(config),
    prompts: asksForReview(call),
    checkpointEveryMs: chooseInterval(call) ?? null,
    isDurable: call.flags.has('durable'),
  };
}

/** The guardian puts itself in as the one that the command must not outlive. */
function launchOf({ launch }: Confinement): SessionStart['launch'] {
  return launch(0);
}

/** Whether nothing more is known than that the supervisor has ended without a word. */
export function isSupervisorDeath(error: unknown): boolean {
  return error instanceof NonoError && error.code === SUPERVISOR_DIED;
}

function supervisorDied(): NonoError {
  return new NonoError(SUPERVISOR_DIED, EXIT.nonoFailed, 'Cannot start the session: its supervisor was killed', {
    hint: 'Run it again; `nono ps --all` shows what is left',
  });
}
