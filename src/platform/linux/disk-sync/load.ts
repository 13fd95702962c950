import type { PlacedCode } from '../code-image.ts';
import { compilePlaced, type PrepareThread, placedCode, prepareThreadOf } from '../placed-code.ts';
import type { SyscallName } from '../syscalls.ts';
import source from './sync.c' with { type: 'text' };

/** Replaced where an x64 builds for x64: encodeImage() of sync.c. */
declare const NONO_SYNC_IMAGE: string | undefined;

/** The calls of sync.c. */
const CALLS = ['exit', 'syncfs', 'write'] as const satisfies readonly SyscallName[];

let loaded: PrepareThread | undefined;

/** sync_prepare() of sync.c: from what the build has compiled; else compiled here and now, which takes 2 ms. */
export function loadSync(): PrepareThread {
  loaded ??= prepareThreadOf(typeof NONO_SYNC_IMAGE === 'string' ? NONO_SYNC_IMAGE : undefined, compile);
  return loaded;
}

/** As it stands in memory, for the build. */
export function compileSyncOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  return compilePlaced('sync', 'sync_prepare', source, CALLS);
}
