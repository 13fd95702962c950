import type { PlacedCode } from '../code-image.ts';
import { addressOf, functionAt } from '../foreign.ts';
import { compilePlaced, entryOf, placedCode } from '../placed-code.ts';
import type { SyscallName } from '../syscalls.ts';
import source from './launch.c' with { type: 'text' };
import lookUp from './look-up.c' with { type: 'text' };

/** Replaced where an x64 builds for x64: encodeImage() of launch.c. */
declare const NONO_LAUNCH_IMAGE: string | undefined;

/** The calls of launch.c. */
const CALLS = [
  'capget',
  'capset',
  'chdir',
  'close',
  'close_range',
  'execve',
  'exit_group',
  'getpid',
  'getdents64',
  'getppid',
  'ioctl',
  'landlock_add_rule',
  'landlock_create_ruleset',
  'landlock_restrict_self',
  'openat',
  'openat2',
  'prctl',
  'prlimit64',
  'read',
  'readlinkat',
  'rt_sigaction',
  'rt_sigprocmask',
  'seccomp',
  'setpgid',
  'statx',
] as const satisfies readonly SyscallName[];

/** What launch_run() of launch.c does: confines this process, becomes the command, or both in a child; what look-up.c answers; and callAt(). */
export const RUN = { confine: 0, execute: 1, start: 2, resolve: 3, list: 4, read: 5, invoke: 6, prepare: 7 } as const;

const INVOCATION_BYTES = 24;

/** launch_run() of launch.c. */
export type RunLaunch = (launchAddress: number, what: number) => number;

let loaded: RunLaunch | undefined;

/** From what the build has compiled; else compiled here and now, which takes 2 ms. */
export function loadLaunch(): RunLaunch {
  loaded ??= load();
  return loaded;
}

/** struct invocation of launch.c. */
const invocation = { words: undefined as BigInt64Array<ArrayBuffer> | undefined, address: 0 };

/** Calls other machine code, which takes words, two at most, and returns one. */
export function callAt(address: number, a: number, b = 0): number {
  if (invocation.words === undefined) {
    invocation.words = new BigInt64Array(new ArrayBuffer(INVOCATION_BYTES));
    invocation.address = addressOf(new Uint8Array(invocation.words.buffer));
  }
  const { words } = invocation;
  words[0] = BigInt(address);
  words[1] = BigInt(a);
  words[2] = BigInt(b);
  return loadLaunch()(invocation.address, RUN.invoke);
}

function load(): RunLaunch {
  const run = functionAt(entryOf(typeof NONO_LAUNCH_IMAGE === 'string' ? NONO_LAUNCH_IMAGE : undefined, compile), 2);
  return (launchAddress, what) => Number(run(launchAddress, what));
}

/** As it stands in memory, for the build. */
export function compileLaunchOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  return compilePlaced(
    'launch',
    'launch_run',
    source.replace('#include "look-up.c"', () => lookUp),
    CALLS,
  );
}
