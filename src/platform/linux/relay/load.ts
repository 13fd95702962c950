import type { PlacedCode } from '../code-image.ts';
import { functionAt } from '../foreign.ts';
import { compilePlaced, entryOf, placedCode } from '../placed-code.ts';
import type { SyscallName } from '../syscalls.ts';
import source from './relay.c' with { type: 'text' };

/** Replaced by a build on the kind of machine that it is for: encodeImage() of relay.c. */
declare const NONO_RELAY_IMAGE: string | undefined;

/** The calls of relay.c. */
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
  'sched_setattr',
  'write',
  'writev',
] as const satisfies readonly SyscallName[];

/** relay_prepare() of relay.c. */
type PrepareRelay = (relayAddress: number) => number;

let loaded: PrepareRelay | undefined;

/** From what the build has compiled; else compiled here and now, which takes 2 ms. */
export function loadRelay(): PrepareRelay {
  loaded ??= load();
  return loaded;
}

function load(): PrepareRelay {
  const prepare = functionAt(entryOf(typeof NONO_RELAY_IMAGE === 'string' ? NONO_RELAY_IMAGE : undefined, compile), 1);
  return (relayAddress) => Number(prepare(relayAddress));
}

/** As it stands in memory, for the build. */
export function compileRelayOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  return compilePlaced('relay', 'relay_prepare', source, CALLS);
}
