import type { PlacedCode } from '../code-image.ts';
import { functionAt } from '../foreign.ts';
import { compilePlaced, entryOf, placedCode } from '../placed-code.ts';
import type { SyscallName } from '../syscalls.ts';
import source from './sync.c' with { type: 'text' };

/** Replaced by a build on the kind of machine that it is for: encodeImage() of sync.c. */
declare const NONO_SYNC_IMAGE: string | undefined;

/** The calls of sync.c. */
const CALLS = ['exit', 'syncfs', 'write'] as const satisfies readonly SyscallName[];

/** sync_prepare() of sync.c. */
type PrepareSync = (syncAddress: number) => number;

let loaded: PrepareSync | undefined;

/** From what the build has compiled; else compiled here and now, which takes 2 ms. */
export function loadSync(): PrepareSync {
  loaded ??= load();
  return loaded;
}

function load(): PrepareSync {
  const prepare = functionAt(entryOf(typeof NONO_SYNC_IMAGE === 'string' ? NONO_SYNC_IMAGE : undefined, compile), 1);
  return (syncAddress) => Number(prepare(syncAddress));
}

/** As it stands in memory, for the build. */
export function compileSyncOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  return compilePlaced('sync', 'sync_prepare', source, CALLS);
}
