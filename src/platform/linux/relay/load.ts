import type { PlacedCode } from '../code-image.ts';
import { compilePlaced, type PrepareThread, placedCode, prepareThreadOf } from '../placed-code.ts';
import type { SyscallName } from '../syscalls.ts';
import direct from './direct.c' with { type: 'text' };
import down from './down.c' with { type: 'text' };
import loop from './loop.c' with { type: 'text' };
import plain from './plain.c' with { type: 'text' };
import state from './state.c' with { type: 'text' };
import up from './up.c' with { type: 'text' };

/** Replaced where an x64 builds for x64: encodeImage() of the C. */
declare const NONO_RELAY_IMAGE: string | undefined;

/** The calls that are made from C. */
const CALLS = [
  'clock_gettime',
  'close',
  'exit',
  'flock',
  'getpriority',
  'ppoll',
  'pread64',
  'read',
  'recvmsg',
  'rt_sigprocmask',
  'sched_setattr',
  'write',
  'writev',
] as const satisfies readonly SyscallName[];

let loaded: PrepareThread | undefined;

/** relay_prepare() of loop.c: from what the build has compiled; else compiled here and now, which takes 2 ms. */
export function loadRelay(): PrepareThread {
  loaded ??= prepareThreadOf(typeof NONO_RELAY_IMAGE === 'string' ? NONO_RELAY_IMAGE : undefined, compile);
  return loaded;
}

/** As it stands in memory, for the build. */
export function compileRelayOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  return compilePlaced('relay', 'relay_prepare', [state, plain, direct, up, down, loop].join(''), CALLS);
}
