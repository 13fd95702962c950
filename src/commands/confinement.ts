import { type Bytes, bytesFromBuffer, bytesFromText, displayBytes } from '../bytes.ts';
import { DEFAULT_PROFILE, type Profile } from '../config/profile-type.ts';
import { EXIT, NonoError, UsageError } from '../errors.ts';
import type { PathFacts } from '../ports/path-facts.ts';
import type { SandboxHost } from '../ports/sandbox-host.ts';
import { buildPlan } from '../sandbox/build-plan.ts';
import { GrantError } from '../sandbox/grant-error.ts';
import type { Launch } from '../sandbox/launch.ts';
import { keptCapabilityMask } from '../sandbox/linux/capabilities.ts';
import { knownFilter } from '../sandbox/linux/known-filters.ts';
import { type Enforced, encodeLandlock, enforcedBy, NEWEST_ABI } from '../sandbox/linux/landlock.ts';
import { encodeMediation, hasDatagrams, mediationOf } from '../sandbox/linux/mediation.ts';
import type { SeccompTarget } from '../sandbox/linux/seccomp.ts';
import type { Plan } from '../sandbox/plan.ts';
import type { World } from '../sandbox/policy.ts';
import { checkAbi, checkPorts } from '../sandbox/sandbox-error.ts';
import type { Context, SandboxAdapters } from './context.ts';
import { type ChosenVariables, chooseVariables } from './environment-options.ts';
import { choosePaths, needsWorkdir, profileVariables, workdirGrant, workdirQuestion } from './grant-options.ts';
import { loadProfile } from './load-profile.ts';
import { chooseNetwork } from './network.ts';
import type { ParsedCall } from './spec.ts';

/** The confinement of one command, ready to be applied. */
export interface Confinement {
  readonly plan: Plan;
  readonly enforced: Enforced;
  /** The instructions for whoever becomes the command. */
  readonly launch: (supervisorPid: number) => Launch;
}

export interface ConfinementOptions {
  readonly temporaryDirectory: Bytes;
  readonly setVariables: ReadonlyMap<Bytes, Bytes>;
  /** Whether a plan counts on a yes to the question for the working directory; true by default. */
  readonly expectsYes?: boolean;
  /** Whether somebody is there who can be asked; true by default. */
  readonly canAsk?: boolean;
  /** Whether the command has a terminal of its own, and so nothing to do with the caller's streams; false by default. */
  readonly hasTerminal?: boolean;
}

/**
 * Resolves what the call asks for, asking the user where something is open.
 *
 * @throws {NonoError} before anything was made or started.
 */
export async function confine(
  call: ParsedCall,
  context: Context,
  { host, facts }: SandboxAdapters,
  options: ConfinementOptions,
): Promise<Confinement> {
  const abi = host.landlockAbi();
  checkAbi(abi, call.flags.has('best-effort'));
  const { plan, question, notices } = await planCall(call, context, facts, options);
  const mediator = host.isMediated() ? 'outer' : 'own';
  checkPorts(plan.network, abi, mediator);
  if (plan.asks && mediator === 'outer') throw cannotAskInside();
  for (const notice of notices) context.notify(notice);
  if (question !== undefined) askFor(question, plan, context);
  const enforced = enforcedBy(Math.min(abi, NEWEST_ABI), mediator);
  announce(plan, enforced, call, context);
  const filter = await filterFor(plan, host);
  let encoded: Launch | undefined;
  const instructions = () => (encoded ??= launchOf(plan, { host, filter, supervisorPid: 0 }));
  return {
    plan,
    enforced,
    launch: (supervisorPid) => ({ ...instructions(), supervisorPid }),
  };
}

/** The seccomp filter of a plan (Launch.filter). */
export async function filterFor(plan: Plan, host: SandboxHost): Promise<Bytes> {
  const target: SeccompTarget = {
    network: plan.network,
    architecture: host.architecture,
    abi: host.landlockAbi(),
    mediator: host.isMediated() ? 'outer' : 'own',
    datagrams: hasDatagrams(plan),
    asks: plan.asks,
  };
  return knownFilter(target) ?? (await import('../sandbox/linux/assemble-filters.ts')).assembleFilter(target);
}

interface LaunchParts {
  readonly host: SandboxHost;
  /** filterFor() of the plan. */
  readonly filter: Bytes;
  readonly supervisorPid: number;
}

/** The instructions that apply a plan. */
export function launchOf(plan: Plan, { host, filter, supervisorPid }: LaunchParts): Launch {
  const mediator = host.isMediated() ? 'outer' : 'own';
  return {
    supervisorPid,
    landlock: encodeLandlock(plan, host.landlockAbi()),
    filter,
    asks: plan.asks && mediator === 'own',
    mediation: mediator === 'own' ? bytesFromBuffer(encodeMediation(mediationOf(plan))) : null,
    capabilities: keptCapabilityMask(),
    workingDirectory: plan.workingDirectory,
    executables: plan.executables,
    command: plan.command,
    environment: plan.environment,
    signals: host.callerSignals(),
    descriptors: host.callerDescriptors(),
  };
}

/** A plan, and what the user has to say yes to before it may be used. */
export interface OpenPlan {
  readonly plan: Plan;
  /** Undefined when nothing is open. */
  readonly question: string | undefined;
  /** What is to be said of its profile. */
  readonly notices: readonly string[];
}

/**
 * Makes the plan of a call and changes nothing.
 *
 * @throws {NonoError} for whatever is wrong with the call or its profile.
 */
export async function planCall(
  call: ParsedCall,
  context: Context,
  facts: PathFacts,
  { temporaryDirectory, setVariables, expectsYes = true, canAsk = true, hasTerminal = false }: ConfinementOptions,
): Promise<OpenPlan> {
  const workingDirectory = existingWorkingDirectory(context);
  const profile = await loadProfile(call, context);
  const { homeDirectory, stateDirectory, environment, uid } = context;
  const places = { homeDirectory, workingDirectory, temporaryDirectory, environment };
  const paths = choosePaths(call, profile, places);
  const isShared = call.flags.has('allow-cwd');
  const isOpen = !isShared && needsWorkdir(paths, profile, facts, workingDirectory);
  const shared = workdirGrant(profile, workingDirectory);
  const variables = await chooseVariables(call, context);
  const world: World = {
    environment,
    homeDirectory,
    stateDirectory,
    uid,
    // The caller's terminal is not opened for one that may run on when somebody else types there.
    facts: hasTerminal ? { ...facts, streams: () => [] } : facts,
    workingDirectory,
  };
  const plan = buildPlan(
    {
      ...paths,
      command: call.commandLine,
      grants: isShared || (isOpen && expectsYes) ? [...paths.grants, shared] : paths.grants,
      passedVariables: [...profile.allowedVariables.map(({ text }) => text as Bytes), ...variables.passed],
      deniedVariables: profile.deniedVariables.map(({ text }) => text as Bytes),
      setVariables: new Map([
        ...[...profileVariables(profile, places)].filter(([name]) => !variables.passed.includes(name)),
        ...variables.set,
        ...setVariables,
      ]),
      temporaryDirectory,
      network: chooseNetwork(call, profile),
      asks: canAsk && wantsAsking(call, profile),
      isBestEffort: call.flags.has('best-effort'),
      profile: profile.name,
      excludes: {
        patterns: profile.excludePatterns.map(({ text }) => bytesFromText(text)),
        globs: profile.excludeGlobs.map(({ text }) => bytesFromText(text)),
      },
    },
    world,
  );
  const notices = await checkInputs(profile, variables, plan, world);
  return { plan, question: isOpen ? workdirQuestion(shared, profile, homeDirectory) : undefined, notices };
}

/** @returns what is to be said of files that nono reads for this run. @throws {GrantError} for one that gives the command what it may not choose. */
async function checkInputs(profile: Profile, variables: ChosenVariables, plan: Plan, world: World): Promise<readonly string[]> {
  if (profile.sources.length === 0 && variables.files.length === 0) return [];
  const { checkVariableFiles, profileNotices } = await import('./changeable-inputs.ts');
  checkVariableFiles(variables.files, plan, world);
  return profileNotices(profile, plan, world);
}

function existingWorkingDirectory({ workingDirectory }: Context): Bytes {
  if (workingDirectory !== undefined) return workingDirectory;
  throw new NonoError(
    'E_WORKING_DIRECTORY',
    EXIT.nonoFailed,
    'Cannot run a command here: the working directory has been removed',
    {
      hint: 'Change to a directory that exists, for instance with `cd ~`',
    },
  );
}

/** @throws {GrantError} without a yes. */
function askFor(question: string, { profile }: Plan, { terminal, confirm }: Context): void {
  if (terminal.isStdinTerminal && terminal.isStderrTerminal && confirm(question)) return;
  throw new GrantError(
    profile === DEFAULT_PROFILE
      ? 'Cannot run a command that may use no directory: nothing is shared with it'
      : `Cannot run a command with the profile ${profile} here: the working directory is not shared with it`,
    'Share the working directory with --allow-cwd, or others with --allow DIR and --read DIR',
  );
}

function wantsAsking({ flags }: ParsedCall, { asks }: Profile): boolean {
  if (flags.has('ask') && flags.has('no-ask')) throw new UsageError('Cannot use --ask with --no-ask: they say different things');
  return flags.has('ask') || (asks && !flags.has('no-ask'));
}

function cannotAskInside(): NonoError {
  return new NonoError(
    'E_ASK',
    EXIT.nonoFailed,
    'Cannot ask for approvals inside another nono: the kernel lets only one of them look at opens',
    {
      hint: 'Leave --ask out here, and give it to the outer one',
    },
  );
}

function announce(plan: Plan, { missing, mediation }: Enforced, { flags }: ParsedCall, { notify }: Context): void {
  const { withheld, network, skipped } = plan;
  if (flags.has('verbose'))
    for (const { place, path, reason } of skipped) notify(`Skipped ${displayBytes(path)} of ${place}: ${reason}`);
  if (withheld.length > 0)
    notify(`Withheld from the command: ${withheld.map(displayBytes).join(', ')} (pass one with --env NAME)`);
  if (network.mode === 'ports')
    notify('The command has TCP on the given ports only: UDP is blocked, and with it most look-ups of names');
  if (network.mode === 'loopback') notify('The command has TCP within this machine only, to every service that listens there');
  if (mediation === 'outer')
    notify('Inside another nono: connects and changes of mode, owner and times go by the grants of that one');
  if (missing.length > 0) notify(`Not enforced on this kernel: ${missing.join(', ')}`);
}
