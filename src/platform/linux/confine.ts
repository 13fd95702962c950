import type { Bytes } from '../../bytes.ts';
import { cString } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { HandOver } from '../../ports/sandbox-host.ts';
import type { Attempt, AttemptResults, Launch, LaunchFailure, LaunchStep, SignalState } from '../../sandbox/launch.ts';
import type { Instruction } from '../../sandbox/linux/bpf.ts';
import type { LandlockRuleset } from '../../sandbox/linux/landlock.ts';
import { RUNTIME_IGNORED } from '../../signal-state.ts';
import { tryAll } from './attempts.ts';
import * as confine from './confine-uapi.ts';
import { execute } from './execute.ts';
import { Pins } from './pins.ts';
import { RuleWriter } from './rule-writer.ts';
import { errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** The first descriptor that is not a standard stream. */
const FIRST_EXTRA_DESCRIPTOR = 3;
const ALL_DESCRIPTORS = 0x7fffffff;

/** @see SandboxHost.become() */
export function become(launch: Launch, handOver: HandOver): LaunchFailure {
  return confineThen(launch, handOver, (pins) => execute(launch, pins));
}

/** Confines this process and tries things. It may do no more afterwards than tell the results and exit. */
export function attemptConfined(launch: Launch, attempts: readonly Attempt[]): AttemptResults | LaunchFailure {
  // None of what is tried is mediated.
  return confineThen(
    launch,
    () => () => undefined,
    () => tryAll(attempts),
  );
}

function confineThen<Result>(launch: Launch, handOver: HandOver, action: (pins: Pins) => Result): Result | LaunchFailure {
  let step: LaunchStep = 'supervisor';
  let path: Bytes | undefined;
  const pins = new Pins();
  try {
    dieWithSupervisor(launch.supervisorPid);
    step = 'descriptors';
    // Marked, not closed: the runtime goes on using its own until execve(2) closes them all.
    syscall('close_range', FIRST_EXTRA_DESCRIPTOR, ALL_DESCRIPTORS, confine.CLOSE_RANGE_CLOEXEC);
    step = 'directory';
    path = launch.workingDirectory;
    changeDirectory(path, pins);
    path = undefined;
    step = 'capabilities';
    reduceCapabilities(launch.capabilities, pins);
    step = 'privileges';
    syscall('prctl', confine.PR_SET_NO_NEW_PRIVS, 1);
    step = 'ruleset';
    const ruleset = createRuleset(launch.landlock, pins);
    step = 'rule';
    const writer = new RuleWriter(ruleset, pins);
    for (const rule of launch.landlock.rules) {
      path = rule.path;
      writer.add(rule);
    }
    path = undefined;
    for (const rule of launch.landlock.ports) writer.addPort(rule);
    step = 'restrict';
    syscall('landlock_restrict_self', ruleset, 0);
    step = 'signals';
    restoreSignals(launch.signals, pins);
    step = 'mediator';
    const pass = launch.mediation === null ? undefined : handOver(launch.mediatesSends);
    step = 'filter';
    const listener = installFilter(launch.filter, launch.mediation !== null, pins);
    step = 'mediator';
    if (listener !== undefined) pass?.(listener);
    step = 'execute';
    return action(pins);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { step, errno: error.errno, ...(path === undefined ? {} : { path }) };
  } finally {
    pins.release();
  }
}

/** @see SandboxHost.landlockAbi() */
export function landlockAbi(): number {
  return Math.max(0, trySyscall('landlock_create_ruleset', 0, 0, confine.LANDLOCK_CREATE_RULESET_VERSION));
}

/** The parent is looked at after the request: a supervisor that died just before would never be noticed. */
function dieWithSupervisor(supervisorPid: number): void {
  if (supervisorPid === 0) return;
  syscall('prctl', confine.PR_SET_PDEATHSIG, confine.SIGKILL);
  if (syscall('getppid') !== supervisorPid) throw new SystemError('getppid', 'ESRCH');
}

function changeDirectory(path: Bytes, pins: Pins): void {
  const name = cString(path);
  syscall('chdir', pins.address(name));
}

/**
 * Keeps only `kept`, in every set: effective and permitted for now, bounding so that executing a file as
 * root does not bring the others back, ambient and inheritable so that nothing passes them on.
 */
function reduceCapabilities(kept: number, pins: Pins): void {
  const header = fixedBuffer(8);
  new DataView(header.buffer).setUint32(0, confine.LINUX_CAPABILITY_VERSION_3, true);
  // Two of { effective, permitted, inheritable }, for the low and the high 32 capabilities.
  const data = fixedBuffer(24);
  const sets = new Uint32Array(data.buffer);
  syscall('capget', pins.address(header), pins.address(data));
  if (sets.every((set) => set === 0)) return;
  for (let capability = 0; capability < confine.CAPABILITY_NUMBERS; capability++) {
    const isKept = capability < 32 && ((kept >>> capability) & 1) === 1;
    if (!isKept && !dropFromBounding(capability)) break;
  }
  syscall('prctl', confine.PR_CAP_AMBIENT, confine.PR_CAP_AMBIENT_CLEAR_ALL);
  sets.set([(sets[0] ?? 0) & kept, (sets[1] ?? 0) & kept, 0, 0, 0, 0]);
  syscall('capset', pins.address(header), pins.address(data));
}

/** @returns false for a number above the last that this kernel knows. */
function dropFromBounding(capability: number): boolean {
  const state = trySyscall('prctl', confine.PR_CAPBSET_READ, capability);
  if (state < 0) return false;
  if (state === 0) return true;
  const result = trySyscall('prctl', confine.PR_CAPBSET_DROP, capability);
  // EPERM: a container that took CAP_SETPCAP away. no_new_privs then still keeps execve(2) from raising the
  // permitted set above what capset left (cap_bprm_creds_from_file of security/commoncap.c).
  if (result < 0 && errnoName(-result) !== 'EPERM') throw new SystemError('prctl', errnoName(-result));
  return true;
}

function createRuleset({ handledFs, handledNet, scoped }: LandlockRuleset, pins: Pins): number {
  // struct landlock_ruleset_attr. An older kernel takes the longer form while what it does not know is zero.
  const attributes = fixedBuffer(24);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, handledFs, true);
  view.setUint32(8, handledNet, true);
  view.setUint32(16, scoped, true);
  return syscall('landlock_create_ruleset', pins.address(attributes), attributes.length, 0);
}

/**
 * Covers this thread alone, which is enough: execve(2) ends the others. Without SPEC_ALLOW a kernel before 5.16
 * turns mitigations on for the command that cost several per cent and that guard secrets within one process only.
 *
 * @returns what the mediator listens on.
 */
function installFilter(filter: readonly Instruction[], listens: boolean, pins: Pins): number | undefined {
  // struct sock_filter: 16 bits of code, 8 and 8 of jumps, 32 of constant.
  const words = new Uint32Array(new ArrayBuffer(filter.length * confine.SOCK_FILTER_BYTES));
  let at = 0;
  for (const [code, jumpTrue, jumpFalse, constant] of filter) {
    words[at++] = code | (jumpTrue << 16) | (jumpFalse << 24);
    words[at++] = constant;
  }
  const instructions = new Uint8Array(words.buffer);
  // struct sock_fprog: a 16-bit length, padding, a pointer.
  const program = fixedBuffer(16);
  const header = new DataView(program.buffer);
  header.setUint16(0, filter.length, true);
  header.setBigUint64(8, BigInt(pins.address(instructions)), true);
  const address = pins.address(program);
  const install = (flags: number): number =>
    trySyscall('seccomp', confine.SECCOMP_SET_MODE_FILTER, confine.SECCOMP_FILTER_FLAG_SPEC_ALLOW | flags, address);
  // A signal must not make the caller ask again for what is being done (connect(2) would find itself connected).
  const listener = confine.SECCOMP_FILTER_FLAG_NEW_LISTENER;
  let result = install(listens ? listener | confine.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0);
  if (listens && errnoName(-result) === 'EINVAL') result = install(listener);
  if (result < 0) throw new SystemError('seccomp', errnoName(-result));
  return listens ? result : undefined;
}

/** The command finds the caller's settings, not those of the runtime that started it. */
function restoreSignals({ ignored, blocked }: SignalState, pins: Pins): void {
  for (const signal of RUNTIME_IGNORED) setDisposition(signal, confine.SIG_DFL, pins);
  for (const signal of ignored) setDisposition(signal, confine.SIG_IGN, pins);
  const mask = fixedBuffer(confine.SIGNAL_SET_BYTES);
  for (const signal of blocked) {
    const at = (signal - 1) >> 3;
    mask[at] = (mask[at] ?? 0) | (1 << ((signal - 1) & 7));
  }
  syscall('rt_sigprocmask', confine.SIG_SETMASK, pins.address(mask), 0, confine.SIGNAL_SET_BYTES);
}

function setDisposition(signal: number, handler: number, pins: Pins): void {
  const action = fixedBuffer(confine.SIGACTION_BYTES);
  action[0] = handler;
  syscall('rt_sigaction', signal, pins.address(action), 0, confine.SIGNAL_SET_BYTES);
}
