import { CFunction, FFIType, type Pointer } from 'bun:ffi';
import { decodeImage, loadImage, type PlacedCode } from '../code-image.ts';
import { compileC } from '../compile-c.ts';
import { placedCode, placesOf, WHERE } from '../placed-code.ts';
import { type SyscallName, syscallNumber } from '../syscalls.ts';
import source from './launch.c' with { type: 'text' };

/** Replaced by a build on the kind of machine that it is for: encodeImage() of launch.c. */
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
  'getppid',
  'ioctl',
  'landlock_add_rule',
  'landlock_create_ruleset',
  'landlock_restrict_self',
  'openat2',
  'prctl',
  'rt_sigaction',
  'rt_sigprocmask',
  'seccomp',
  'setpgid',
] as const satisfies readonly SyscallName[];

/** What launch_run() of launch.c does: confines this process, becomes the command, or both in a child. */
export const RUN = { confine: 0, execute: 1, start: 2 } as const;

/** launch_run() of launch.c. */
export type RunLaunch = (launchAddress: number, what: number) => number;

/** From what the build has compiled; else compiled here and now, which takes 2 ms. */
export function loadLaunch(): RunLaunch {
  const entry =
    typeof NONO_LAUNCH_IMAGE === 'string'
      ? loadImage(decodeImage(NONO_LAUNCH_IMAGE)).entry
      : placesOf(compile().launch_where).entry;
  const run = CFunction({ ptr: entry as Pointer, args: [FFIType.i64_fast, FFIType.i64_fast], returns: FFIType.i64_fast });
  return (launchAddress, what) => Number(run(launchAddress, what));
}

/** As it stands in memory, for the build. */
export function compileLaunchOnce(): PlacedCode {
  return placedCode(placesOf(compile().launch_where));
}

function compile() {
  const numbers = CALLS.map((name) => `#define CALL_${name} ${syscallNumber(name)}\n`).join('');
  return compileC('launch.c', `${numbers}#line 1 "launch"\n${source}`, { launch_where: WHERE });
}
