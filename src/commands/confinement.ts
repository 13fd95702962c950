import { type Bytes, displayBytes } from '../bytes.ts';
import { EXIT, NonoError } from '../errors.ts';
import { tildePath } from '../paths.ts';
import { buildPlan } from '../sandbox/build-plan.ts';
import { GrantError } from '../sandbox/grant-error.ts';
import type { Launch } from '../sandbox/launch.ts';
import { keptCapabilityMask } from '../sandbox/linux/capabilities.ts';
import { type Enforced, encodeLandlock, enforcedBy, NEWEST_ABI } from '../sandbox/linux/landlock.ts';
import { encodeSeccomp } from '../sandbox/linux/seccomp.ts';
import { type Access, describeAccess, type Plan, READ, READ_WRITE, WRITE } from '../sandbox/plan.ts';
import type { Grant } from '../sandbox/policy.ts';
import { checkAbi, checkPorts } from '../sandbox/sandbox-error.ts';
import type { Context, SandboxAdapters } from './context.ts';
import { chooseNetwork } from './network.ts';
import type { ParsedCall } from './spec.ts';

/** The options that share paths, and what each gives. */
const GRANT_OPTIONS: readonly (readonly [option: string, access: Access, kind: Grant['kind']])[] = [
  ['allow', READ_WRITE, 'directory'],
  ['read', READ, 'directory'],
  ['write', WRITE, 'directory'],
  ['allow-file', READ_WRITE, 'file'],
  ['read-file', READ, 'file'],
  ['write-file', WRITE, 'file'],
];

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
}

/**
 * Resolves what the call asks for, asking the user where something is open.
 *
 * @throws {NonoError} before anything was made or started.
 */
export function confine(
  call: ParsedCall,
  context: Context,
  { host, facts }: SandboxAdapters,
  { temporaryDirectory, setVariables }: ConfinementOptions,
): Confinement {
  const isBestEffort = call.flags.has('best-effort');
  const abi = host.landlockAbi();
  checkAbi(abi, isBestEffort);
  const network = chooseNetwork(call);
  checkPorts(network, abi);
  const workingDirectory = existingWorkingDirectory(context);
  const plan = buildPlan(
    {
      command: call.commandLine,
      grants: chooseGrants(call, context, workingDirectory),
      overrides: call.values.get('override-deny') ?? [],
      passedVariables: call.values.get('env') ?? [],
      setVariables,
      temporaryDirectory,
      network,
      isBestEffort,
    },
    { ...context, facts, workingDirectory },
  );
  const enforced = enforcedBy(Math.min(abi, NEWEST_ABI));
  announce(plan, enforced, context);
  return {
    plan,
    enforced,
    launch: (supervisorPid) => ({
      supervisorPid,
      landlock: encodeLandlock(plan, abi),
      filter: encodeSeccomp({ network: plan.network, architecture: host.architecture, abi }),
      capabilities: keptCapabilityMask(),
      workingDirectory: plan.workingDirectory,
      executables: plan.executables,
      command: plan.command,
      environment: plan.environment,
      signals: host.callerSignals(),
    }),
  };
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

function chooseGrants({ flags, values }: ParsedCall, context: Context, workingDirectory: Bytes): readonly Grant[] {
  const grants = GRANT_OPTIONS.flatMap(([option, access, kind]) =>
    (values.get(option) ?? []).map((path): Grant => ({ path, access, kind, option: `--${option}` })),
  );
  const shared: Grant = { path: workingDirectory, access: READ_WRITE, kind: 'directory', option: '--allow-cwd' };
  if (flags.has('allow-cwd')) return [...grants, shared];
  if (grants.length > 0) return grants;
  if (agrees(context, workingDirectory)) return [shared];
  throw new GrantError(
    'Cannot run a command that may use no directory: nothing is shared with it',
    'Share the working directory with --allow-cwd, or others with --allow DIR and --read DIR',
  );
}

/** Nothing was granted: the working directory is what most commands are about. */
function agrees({ terminal, confirm, homeDirectory }: Context, workingDirectory: Bytes): boolean {
  if (!terminal.isStdinTerminal || !terminal.isStderrTerminal) return false;
  return confirm(
    `Share ${displayBytes(tildePath(workingDirectory, homeDirectory))} with the command, for ${describeAccess(READ_WRITE)}?`,
  );
}

function announce({ withheld, network }: Plan, { missing }: Enforced, { notify }: Context): void {
  if (withheld.length > 0)
    notify(`Withheld from the command: ${withheld.map(displayBytes).join(', ')} (pass one with --env NAME)`);
  if (network.mode === 'ports')
    notify('The command has TCP on the given ports only: UDP is blocked, and with it most look-ups of names');
  if (missing.length > 0) notify(`Not enforced on this kernel: ${missing.join(', ')}`);
}
