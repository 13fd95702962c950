import type { Bytes } from '../bytes.ts';
import { EXIT } from '../errors.ts';
import type { Mediating } from '../ports/sandbox-host.ts';
import type { LaunchedProcess } from '../ports/spawn.ts';
import { PATIENCE_MS } from '../rollback/durability.ts';
import type { RollbackRun } from '../rollback/run.ts';
import { loneFiles } from '../sandbox/plan.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { executedEvent, policyDigest, startEvent } from '../session/audit-start.ts';
import { claimSession } from '../session/claim.ts';
import { type CommandEnd, commandEnd, LiveSession } from '../session/live-session.ts';
import { OwnedTree } from '../session/owned-tree.ts';
import { type SessionIdentity, STARTING } from '../session/record.ts';
import { sharedBy } from '../session/shared.ts';
import { type Progress, SnapshotHelpers } from '../session/snapshot-helpers.ts';
import { supervise } from '../session/supervise.ts';
import { touchTemporaryDirectory } from '../session/temporary-directory.ts';
import { signalName, signalNumber } from '../signal-names.ts';
import { formatTimestamp } from '../time.ts';
import { doAll, reportDenials } from './after-command.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { SeenDenials } from './denials.ts';
import type { PlainAsking } from './plain-asking.ts';
import { PlainDoor } from './plain-door.ts';
import type { PlainRun } from './plain-run.ts';
import { captureLimits, retentionLimits } from './user-config.ts';

const SIGKILL = signalNumber('SIGKILL');
const NOTHING = new Uint8Array();
const NO_SNAPSHOTS = { isDone: false, code: 'refused', message: 'it takes no snapshots' } as const;

export interface PlainEnd {
  readonly exitCode: number;
  /** Of what can be reviewed now. */
  readonly rollbackId: Bytes | undefined;
}

/** A signal that has come before the command was started. */
interface Early {
  signal: number | undefined;
}

/** The session of a command that is about to be launched. Who interrupts its start does not want the command: it is never started, and nothing stays. */
export async function runPlainSession(run: PlainRun): Promise<PlainEnd> {
  const early: Early = { signal: undefined };
  try {
    return await runUnlessEnded(run, early);
  } catch (error) {
    if (early.signal === undefined) throw error;
    run.context.notify(`${signalName(early.signal)} came before the command was started: nothing was run`);
    return { exitCode: commandEnd({ code: null, signal: early.signal }).exitCode, rollbackId: undefined };
  }
}

async function runUnlessEnded(run: PlainRun, early: Early): Promise<PlainEnd> {
  const { context, parent, confinement } = run;
  using cleanUp = new DisposableStack();
  let tree: OwnedTree | undefined;
  let live: LiveSession | undefined;
  const helpers = new SnapshotHelpers();
  let progress: Progress = 'not begun';
  const supervision = cleanUp.use(
    supervise(parent.signals, context.pid, {
      onEarlySignal: (signal) => {
        if (progress === 'not begun') early.signal ??= signal;
        helpers.endWanted(false, progress);
      },
      onStopSignal: (signal) => {
        live?.isPaused(signal !== undefined);
        live?.audit(signal === undefined ? { event: 'continued' } : { event: 'paused', signal: signalName(signal) });
      },
      onChild: () => tree?.look(),
    }),
  );
  live = cleanUp.use(await claim(run));
  const snapshots = await startSnapshots(run, live, helpers);
  // Not earlier: within the tree's domain each link of an object costs twice as much.
  tree = cleanUp.use(new OwnedTree(parent.keepTree));
  const asking = confinement.plan.asks ? await (await import('./plain-asking.ts')).startAsking(run, live) : undefined;
  const { mediating, ...launched } = await launchOrAbandon(run, { asking, snapshots, early });
  cleanUp.defer(() => mediating?.[Symbol.dispose]());
  const command = tree.own(launched.command);
  cleanUp.defer(() => command.kill(SIGKILL));
  progress = 'running';
  // Who comes after a crash finds the snapshots by the record.
  if (snapshots === undefined) live.isRunningSoon(command.pid, null);
  else await live.isRunning(command.pid, snapshots.id);
  const checkpoints =
    snapshots === undefined ? undefined : cleanUp.use(await startCheckpoints(run, { live, helpers }, snapshots));
  const takes = async (label: string) => (await checkpoints?.take(label)) ?? NO_SNAPSHOTS;
  const endWanted = (isForced: boolean) => helpers.endWanted(isForced, progress);
  const door = cleanUp.use(new PlainDoor(run, { live, tree, asking, endWanted }, takes));
  const over = new AbortController();
  const executed = recordExecuted(run, { live, pid: command.pid }, over.signal);
  const end = commandEnd(await supervision.follow(command));
  progress = 'ended';
  over.abort();
  asking?.approvals.end();
  tree.commandEnded();
  await tree.ending.gone;
  tree.over();
  checkpoints?.[Symbol.dispose]();
  const failure = await doAll(
    () => executed,
    () => finishSnapshots(run, { snapshots, live, door }, end),
    () => reportDenials(seenDenials(run, asking, mediating), end, { live, notify: context.notify }),
  );
  const loss = await live.hasEnded(end, failure, door.isOpen ? 'meanwhile' : 'at once');
  if (loss !== null) context.notify(loss);
  await door.close({ reason: 'ended', ...end });
  const exitCode = failure !== null && end.exitCode === 0 ? EXIT.nonoFailed : end.exitCode;
  return { exitCode, rollbackId: failure === null ? snapshots?.id : undefined };
}

function seenDenials(
  { context, confinement }: PlainRun,
  asking: PlainAsking | undefined,
  mediating: Mediating | undefined,
): SeenDenials {
  return {
    denials: asking?.approvals.denials,
    refused: mediating?.refusals() ?? NOTHING,
    loneFiles: loneFiles(confinement.plan),
    homeDirectory: context.homeDirectory,
    stateDirectory: context.stateDirectory,
    uid: context.uid,
  };
}

async function recordExecuted(
  { context, confinement }: PlainRun,
  { live, pid }: { readonly live: LiveSession; readonly pid: number },
  over: AbortSignal,
): Promise<undefined> {
  live.audit(await executedEvent(context, confinement.plan, pid, over));
}

interface Launched {
  readonly command: LaunchedProcess;
  readonly mediating: Mediating | undefined;
}

interface Prepared {
  readonly asking: PlainAsking | undefined;
  readonly snapshots: RollbackRun | undefined;
  readonly early: Early;
}

/** Where the command cannot be launched, no snapshot stays. @throws {NonoError} when a step failed before the command ran. */
async function launchOrAbandon(run: PlainRun, { asking, snapshots, early }: Prepared): Promise<Launched> {
  try {
    if (early.signal !== undefined) throw new Error('A signal came first');
    return launch(run, asking);
  } catch (error) {
    await snapshots?.abandon();
    throw error;
  }
}

function launch({ context, parent, confinement }: PlainRun, asking: PlainAsking | undefined): Launched {
  const instructions = confinement.launch(context.pid);
  const { mediation } = instructions;
  const mediating = mediation === null ? undefined : parent.host.mediate(mediation, asking?.onQuestions);
  if (mediating !== undefined) asking?.answersGoTo(mediating);
  const command = parent.host.launch(instructions, { listener: mediating });
  if ('step' in command) throw launchError(command, confinement.plan.command[0] as Bytes);
  return { command, mediating };
}

async function claim(run: PlainRun): Promise<LiveSession> {
  const { context, sessions, names, chosenName, confinement, temporaryDirectory } = run;
  const { clock, hash, randomHex } = context;
  const identity = describe(run);
  const claimed = await claimSession({ sessions, names, identity, chosenName, state: STARTING, clock, hash, randomHex });
  const live = new LiveSession(claimed, clock);
  live.alsoBeat(() => touchTemporaryDirectory(context.files, temporaryDirectory, clock.nowMs()));
  const policy = policyDigest(confinement.launch(0), identity, { temporaryDirectory, hash });
  live.audit(startEvent(identity, { name: claimed.name, policy }));
  return live;
}

function describe({ context, adapters, confinement, id }: PlainRun): Omit<SessionIdentity, 'name'> {
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
    shared: sharedBy(plan),
    enforced,
    hasTerminal: false,
  };
}

async function startSnapshots(run: PlainRun, live: LiveSession, helpers: SnapshotHelpers): Promise<RollbackRun | undefined> {
  const { context, confinement, id, stateDirectory, config, exclusions } = run;
  if (exclusions === undefined) return undefined;
  const { snapshotEvent, startRun } = await import('./run-snapshots.ts');
  const start = {
    stateDirectory,
    plan: confinement.plan,
    runId: id,
    supervisorPid: context.pid,
    profile: confinement.plan.profile,
    limits: captureLimits(config),
    exclusions,
    prompts: run.asksForReview,
    patienceMs: run.isDurable ? Number.POSITIVE_INFINITY : PATIENCE_MS,
  };
  const deps = { ...context, loadTakeElsewhere: helpers.following(context.loadTakeElsewhere) };
  const snapshots = await startRun(deps, start, context);
  live.alsoBeat(() => snapshots.beat());
  live.audit(snapshotEvent(stateDirectory, context.hash, snapshots.id, 'baseline'));
  return snapshots;
}

async function startCheckpoints(
  run: PlainRun,
  { live, helpers }: { readonly live: LiveSession; readonly helpers: SnapshotHelpers },
  snapshots: RollbackRun,
): Promise<Checkpoints> {
  const { context, stateDirectory, config, checkpointEveryMs } = run;
  const [{ Checkpoints: Taker }, { snapshotEvent }] = await Promise.all([
    import('./checkpoints.ts'),
    import('./run-snapshots.ts'),
  ]);
  const onTaken = ({ label }: { readonly label: string }) =>
    live.audit(snapshotEvent(stateDirectory, context.hash, snapshots.id, label));
  const checkpoints = new Taker({ ...context, helpers, limits: captureLimits(config), snapshots, onTaken }, checkpointEveryMs);
  checkpoints.begin();
  return checkpoints;
}

/** @returns what went wrong: it is said and recorded, and never hides how the command ended. */
async function finishSnapshots(
  run: PlainRun,
  {
    snapshots,
    live,
    door,
  }: { readonly snapshots: RollbackRun | undefined; readonly live: LiveSession; readonly door: PlainDoor },
  end: CommandEnd,
): Promise<string | null> {
  if (snapshots === undefined) return null;
  const { context, stateDirectory, config } = run;
  const { finishRun, keepWithinLimits, snapshotEvent } = await import('./run-snapshots.ts');
  const notify = (line: string) => {
    context.notify(line);
    door.progress(line);
  };
  const failure = await finishRun(snapshots, end, { ...context, notify });
  if (failure === null) live.audit(snapshotEvent(stateDirectory, context.hash, snapshots.id, 'final'));
  if (failure === null) await keepWithinLimits({ ...context, notify }, stateDirectory, snapshots.id, retentionLimits(config));
  return failure;
}
