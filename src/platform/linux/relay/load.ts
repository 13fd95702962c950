import { loadImage, type PlacedCode } from '../code-image.ts';
import { compileC } from '../compile-c.ts';
import { functionAt } from '../foreign.ts';
import { placedCode, placesOf, WHERE } from '../placed-code.ts';
import { type SyscallName, syscallNumber } from '../syscalls.ts';
import source from './relay.c' with { type: 'text' };

/** Replaced by a build on the kind of machine that it is for: encodeImage() of relay.c. */
declare const NONO_RELAY_IMAGE: string | undefined;

/** The calls of relay.c. */
const CALLS = [
  'clock_gettime',
  'exit',
  'getpriority',
  'ppoll',
  'read',
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
  const entry = typeof NONO_RELAY_IMAGE === 'string' ? loadImage(NONO_RELAY_IMAGE).entry : placesOf(compile().relay_where).entry;
  const prepare = functionAt(entry, 1);
  return (relayAddress) => Number(prepare(relayAddress));
}

/** As it stands in memory, for the build. */
export function compileRelayOnce(): PlacedCode {
  return placedCode(placesOf(compile().relay_where));
}

function compile() {
  const numbers = CALLS.map((name) => `#define CALL_${name} ${syscallNumber(name)}\n`).join('');
  return compileC('relay.c', `${numbers}#line 1 "relay"\n${source}`, { relay_where: WHERE });
}
