import { type Bytes, displayBytes } from '../bytes.ts';
import { EXIT, NonoError, TOO_MANY_FILES, TOO_MANY_FILES_THERE, TOO_MANY_PROCESSES } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import { shownWord } from '../shell-word.ts';
import type { LaunchFailure, LaunchStep } from './launch.ts';
import { ABI_WITH_PORTS, landlockGaps, NESTED_TOO_DEEP } from './linux/landlock.ts';
import type { MediatedBy } from './linux/mediation.ts';
import type { Network } from './plan.ts';

/** The sandbox could not be applied: nothing of the command has run. */
export class SandboxError extends NonoError {
  constructor(message: string, hint: string) {
    super('E_SANDBOX', EXIT.cannotExecute, message, { hint });
  }
}

/**
 * Refuses a kernel that cannot enforce what the sandbox promises.
 *
 * @param isBestEffort Accepts less, but never nothing.
 */
export function checkAbi(abi: number, isBestEffort: boolean): void {
  if (abi < 1) {
    throw new SandboxError(
      'Cannot apply the sandbox: this kernel offers no Landlock',
      'Use Linux 5.13 or later with Landlock among its security modules (boot with lsm=landlock,…); a container may need to permit it',
    );
  }
  const gaps = landlockGaps(abi);
  if (gaps.length === 0 || isBestEffort) return;
  const list = gaps.map(({ what, kernel }) => `${what} (Linux ${kernel})`).join(', ');
  throw new SandboxError(
    `Cannot apply the whole sandbox: this kernel's Landlock does not cover ${list}`,
    'Accept less with --best-effort, or use the kernel named',
  );
}

/** Ports are Landlock's alone. To leave all of them open instead is nothing that `--best-effort` could mean. */
export function checkPorts(network: Network, abi: number, mediator: MediatedBy): void {
  if (mediator === 'outer' && (network.mode === 'ports' || network.mode === 'loopback')) {
    throw new SandboxError(
      'Cannot limit the network inside another nono: that one connects for the command, by its own plan',
      'Give the options of the network to the outer nono, or block all of it with --block-net',
    );
  }
  if (network.mode !== 'ports' || abi >= ABI_WITH_PORTS) return;
  throw new SandboxError(
    "Cannot limit the network to ports: this kernel's Landlock has no rules for them, Linux 6.7 does",
    'Block all of the network with --block-net, or use that kernel',
  );
}

/** What each step was for, for people. */
const STEPS: Readonly<Record<Exclude<LaunchStep, 'execute'>, string>> = {
  plan: 'begin',
  supervisor: 'tie the command to its supervisor',
  signals: 'restore signal settings',
  directory: 'enter the working directory',
  capabilities: 'drop capabilities',
  privileges: 'set no_new_privs',
  ruleset: 'create the Landlock ruleset',
  rule: 'add a Landlock rule',
  restrict: 'restrict itself with Landlock',
  filter: 'install the seccomp filter',
  descriptors: 'let go of inherited descriptors',
};

/** The user's error for a failed launch: 127 when the command is gone, else 126. */
export function launchError({ step, errno, path, target }: LaunchFailure, command: Bytes): NonoError {
  const about = path === undefined ? '' : ` for "${displayBytes(path)}"`;
  if (step === 'execute') return executeError(errno, path ?? command, target);
  const hint =
    HINTS[`${step} ${errno}`] ?? HINTS[errno] ?? 'See whether a container or a security module forbids this system call';
  return new SandboxError(`Cannot apply the sandbox: the launcher could not ${STEPS[step]}${about}: ${errno}`, hint);
}

/** By step and errno, or by errno alone. */
const HINTS: Readonly<Record<string, string>> = {
  EMFILE: TOO_MANY_FILES,
  EAGAIN: TOO_MANY_PROCESSES,
  ENFILE: TOO_MANY_FILES_THERE,
  'directory EACCES':
    'Whoever runs nono may not enter it: see its mode, and those of all directories above it (namei -l .), or go to another one',
  'directory ENOENT': 'It has just been removed: go to a directory that exists, for instance with `cd ~`',
  'rule ELOOP': 'A link was put in its place while nono started: look at it, then run again',
  'restrict E2BIG': NESTED_TOO_DEEP,
  // The kernel has room for one listener in all filters of a process.
  'filter EBUSY': 'Something around nono, such as a container runtime, watches system calls already: start nono outside of it',
  'mediator ENOBUFS': 'Grant fewer, larger directories',
  'mediator EMSGSIZE': 'Grant fewer, larger directories',
};

function executeError(errno: string, path: Bytes, target?: Bytes): NonoError {
  const shown = displayBytes(path);
  const [exitCode, reason, hint] = EXECUTE_REASONS[errno] ?? [
    EXIT.cannotExecute,
    `the kernel refused it: ${errno}`,
    'Run it without nono to see whether it works at all',
  ];
  if (errno === 'EACCES' && target !== undefined) {
    const led = displayBytes(target);
    return new NonoError('E_CANNOT_EXECUTE', exitCode, `Cannot run "${shown}", which is ${led}: ${reason}`, {
      hint: `Share what it leads to with --read-file ${shownWord(target)}, or with --read the directory that holds all of the tool, if the sandbox refused it; or make it executable`,
    });
  }
  return new NonoError('E_CANNOT_EXECUTE', exitCode, `Cannot run "${shown}": ${reason}`, {
    hint: hint.replace('DIR', () => shownWord(parentPath(path))).replace('NAME', () => shownWord(baseName(path))),
  });
}

const EXECUTE_REASONS: Readonly<Record<string, readonly [exitCode: 126 | 127, reason: string, hint: string]>> = {
  EACCES: [126, 'permission denied', 'Share its directory with --read DIR if the sandbox refused it, or make NAME executable'],
  // The file was there a moment ago: what the kernel misses is what the file names.
  ENOENT: [
    126,
    'its interpreter or dynamic loader does not exist, or the file just vanished',
    'See the first line of NAME, or `file DIR/NAME`',
  ],
  ENOEXEC: [126, 'it has no format that this machine can execute', 'Look at it with `file DIR/NAME`'],
  E2BIG: [126, 'arguments and environment are too long', 'Pass fewer arguments, or pass them in a file'],
  ETXTBSY: [126, 'somebody is writing to it', 'Wait until it is written'],
  ELOOP: [126, 'its interpreters form a loop', 'See the first line of NAME'],
  ENOMEM: [126, 'there is not enough memory', 'Free some memory'],
};
