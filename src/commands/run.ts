import { type Bytes, storeBytes } from '../bytes.ts';
import type { Config } from '../config/schema.ts';
import { EXIT } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import type { StartedProcess } from '../ports/spawn.ts';
import type { Exclusions } from '../rollback/rules.ts';
import type { RollbackRun } from '../rollback/run.ts';
import { decodeLaunchFailure, encodeLaunch } from '../sandbox/launch.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { digestExecutable, policyDigest, startEvent } from '../session/audit-start.ts';
import { claimSession } from '../session/claim.ts';
import { type CommandEnd, commandEnd, LiveSession } from '../session/live-session.ts';
import { checkSessionName } from '../session/names.ts';
import { type SessionIdentity, STARTING } from '../session/record.ts';
import { openStateDirectory } from '../session/state-directory.ts';
import { supervise } from '../session/supervise.ts';
import {
  createTemporaryDirectory,
  removeTemporaryDirectory,
  sweepTemporaryDirectories,
  temporaryDirectoryPath,
} from '../session/temporary-directory.ts';
import { formatTimestamp } from '../time.ts';
import { type Confinement, confine } from './confinement.ts';
import type { Context, SandboxAdapters } from './context.ts';
import { makeMissing } from './make-missing.ts';
import { NAMES, SESSION_VARIABLE, SESSIONS, unusedSessionId } from './new-session.ts';
import { refuseJson } from './refuse-json.ts';
import { asksForReview } from './run-options.ts';
import { reviewSession } from './session/review-session.ts';
import { checkSnapshotOptions, chooseExclusions } from './snapshot-options.ts';
import type { CommandResult, ParsedCall } from './spec.ts';
import { startLauncher } from './start-launcher.ts';
import { captureLimits, loadUserConfig, retentionLimits } from './user-config.ts';

const SIGKILL = 9;

/** Everything of one run that its steps share. */
interface Run {
  readonly context: Context;
  readonly adapters: SandboxAdapters;
  readonly launcher: StartedProcess;
  readonly stateDirectory: Directory;
  readonly sessions: Directory;
  readonly names: Directory;
  readonly temporaryDirectory: Bytes;
  readonly confinement: Confinement;
  readonly id: string;
  readonly chosenName: string | undefined;
  /** Undefined without snapshots. */
  readonly exclusions: Exclusions | undefined;
  readonly asksForReview: boolean;
  readonly config: Config | undefined;
}

/** Runs the command in the sandbox, under this process, with a record from before its start until after its end. */
export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  if (!call.flags.has('silent')) return await runHere(call, context);
  const held: string[] = [];
  const result = await runHere(call, { ...context, notify: (line) => void held.push(line) });
  // What nono could not do is said all the same.
  if (result.exitCode === EXIT.nonoFailed) for (const line of held) context.notify(line);
  return result;
}

async function runHere(call: ParsedCall, context: Context): Promise<CommandResult> {
  if (call.flags.has('dry-run')) return (await import('./policy/dry-run.ts')).dryRun(call, context);
  refuseJson(call);
  if (call.flags.has('detached')) return (await import('./run-detached.ts')).runDetached(call, context);
  const { isStdinTerminal, isStdoutTerminal, isStderrTerminal } = context.terminal;
  // A stderr that leads elsewhere stays there: then the command shares the caller's terminal instead of having its own.
  if (isStdinTerminal && isStdoutTerminal && isStderrTerminal)
    return (await import('./run-attached.ts')).runAttached(call, context);
  const { files, uid, randomHex } = context;
  const name = call.values.get('name')?.[0];
  const chosenName = name === undefined ? undefined : checkSessionName(name);
  checkSnapshotOptions(call);
  const wantsRollback = call.flags.has('rollback');
  const config = await loadUserConfig(context);
  const adapters = await context.loadSandbox();
  // First, because it takes as long to start as the plan takes to make; when no instructions come it ends by itself.
  using cleanUp = new DisposableStack();
  const launcher = startLauncher(adapters.spawn);
  cleanUp.defer(() => launcher.kill(SIGKILL));
  const id = unusedSessionId(context);
  const temporaryDirectory = temporaryDirectoryPath(files, id, adapters.processes.self(), randomHex);
  const setVariables = new Map([[SESSION_VARIABLE, id as Bytes]]);
  const confinement = await confine(call, context, adapters, { temporaryDirectory, setVariables });
  if (wantsRollback) (await import('./run-snapshots.ts')).checkRoots(confinement.plan);

  // Up to here nothing was made: what is wrong with the call changes nothing.
  using stateDirectory = createState(context, context.stateDirectory);
  using sessions = createState(context, joinPath(context.stateDirectory, SESSIONS));
  using names = createState(context, joinPath(context.stateDirectory, NAMES));
  makeMissing(files, confinement.plan);
  createTemporaryDirectory(files, temporaryDirectory);
  let end: SessionEnd;
  try {
    end = await runSession({
      context,
      adapters,
      launcher,
      stateDirectory,
      sessions,
      names,
      temporaryDirectory,
      confinement,
      id,
      chosenName,
      exclusions: wantsRollback ? chooseExclusions(call, confinement.plan) : undefined,
      asksForReview: asksForReview(call),
      config,
    });
  } finally {
    removeTemporaryDirectory(files, temporaryDirectory);
    sweepTemporaryDirectories(files, adapters.processes, uid);
  }
  if (end.rollbackId !== undefined && isStdinTerminal && isStdoutTerminal) await reviewSession(context, id);
  return { exitCode: end.exitCode };
}

function createState({ files, uid }: Context, path: Bytes): Directory {
  const directory = openStateDirectory(files, path, uid, { create: true });
  if (directory === undefined) throw new TypeError('Expected a state directory that is created to be there');
  return directory;
}

interface SessionEnd {
  readonly exitCode: number;
  readonly rollbackId: Bytes | undefined;
}

async function runSession(run: Run): Promise<SessionEnd> {
  const { context, adapters, launcher } = run;
  using cleanUp = new DisposableStack();
  let live: LiveSession | undefined;
  const supervision = cleanUp.use(supervise(adapters.signals, context.pid, (isPaused) => live?.isPaused(isPaused)));
  live = cleanUp.use(claim(run));
  const snapshots = await startSnapshots(run, live);
  try {
    await launch(run);
  } catch (error) {
    snapshots?.abandon();
    throw error;
  }
  const over = new AbortController();
  const executed = recordExecuted(run, live, over.signal);
  await live.isRunning(launcher.pid, snapshots === undefined ? null : snapshots.id);
  const end = commandEnd(await supervision.follow(launcher));
  over.abort();
  await executed;
  const failure = await finishSnapshots(run, snapshots, live, end);
  const loss = await live.hasEnded(end, failure);
  if (loss !== null) context.notify(loss);
  const exitCode = failure !== null && end.exitCode === 0 ? EXIT.nonoFailed : end.exitCode;
  return { exitCode, rollbackId: failure === null ? snapshots?.id : undefined };
}

async function recordExecuted({ context, confinement, launcher }: Run, live: LiveSession, over: AbortSignal): Promise<void> {
  const { files, hash } = context;
  const executable = confinement.plan.executables[0] as Bytes;
  const digest = await digestExecutable(files, hash, executable, over);
  const fields = { child_pid: launcher.pid, executable: storeBytes(executable), executable_digest: digest };
  live.audit({ event: 'executed', ...fields });
}

/** Hands the instructions over. @throws {NonoError} when a step failed before the command ran. */
async function launch({ launcher, confinement, context, adapters }: Run): Promise<void> {
  const instructions = confinement.launch(context.pid);
  const { mediation } = instructions;
  const listener = mediation === null ? undefined : adapters.host.mediate(mediation);
  const answer = await launcher.exchange(encodeLaunch(instructions), listener);
  const failure = decodeLaunchFailure(answer);
  if (failure !== undefined) throw launchError(failure, confinement.plan.command[0] as Bytes);
}

function claim(run: Run): LiveSession {
  const { context, sessions, names, chosenName, confinement, temporaryDirectory } = run;
  const { clock, hash, randomHex } = context;
  const identity = describe(run);
  const claimed = claimSession({ sessions, names, identity, chosenName, state: STARTING, clock, hash, randomHex });
  const live = new LiveSession(claimed, clock);
  const policy = policyDigest(confinement.launch(0), temporaryDirectory, hash);
  live.audit(startEvent(identity, { name: claimed.name, policy }));
  return live;
}

function describe({ context, adapters, confinement, id }: Run): Omit<SessionIdentity, 'name'> {
  const { clock, hostName } = context;
  const { plan, enforced } = confinement;
  return {
    id,
    command: plan.command,
    workingDirectory: plan.workingDirectory,
    profile: plan.profile,
    hostName,
    supervisor: adapters.processes.self(),
    started: formatTimestamp(clock.nowMs(), clock.utcOffsetMinutes(clock.nowMs())),
    network: plan.network.mode,
    enforced,
    hasTerminal: false,
  };
}

async function startSnapshots(run: Run, live: LiveSession): Promise<RollbackRun | undefined> {
  const { context, confinement, id, stateDirectory, config, exclusions } = run;
  if (exclusions === undefined) return undefined;
  const { snapshotEvent, startRun, trackedLine } = await import('./run-snapshots.ts');
  const snapshots = await startRun(context, {
    stateDirectory,
    plan: confinement.plan,
    runId: id,
    supervisorPid: context.pid,
    profile: confinement.plan.profile,
    limits: captureLimits(config),
    exclusions,
    prompts: run.asksForReview,
  });
  live.alsoBeat(() => snapshots.beat());
  live.audit(snapshotEvent(stateDirectory, context.hash, snapshots.id, 'baseline'));
  context.notify(trackedLine(snapshots, context.homeDirectory));
  return snapshots;
}

/** @returns what went wrong: it is said and recorded, and never hides how the command ended. */
async function finishSnapshots(
  run: Run,
  snapshots: RollbackRun | undefined,
  live: LiveSession,
  end: CommandEnd,
): Promise<string | null> {
  if (snapshots === undefined) return null;
  const { context, stateDirectory, config } = run;
  const { finishRun, keepWithinLimits, snapshotEvent } = await import('./run-snapshots.ts');
  const failure = await finishRun(snapshots, end, context.notify);
  if (failure === null) live.audit(snapshotEvent(stateDirectory, context.hash, snapshots.id, 'final'));
  if (failure === null) keepWithinLimits(context, stateDirectory, snapshots.id, retentionLimits(config));
  return failure;
}
