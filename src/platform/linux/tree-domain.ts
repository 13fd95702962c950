import type { Bytes } from '../../bytes.ts';
import { isErrno } from '../../errors.ts';
import { ABI_WITH_MARK, ABI_WITH_SIGNALS } from '../../sandbox/linux/landlock.ts';
import { ACCESS_FS } from '../../sandbox/linux/landlock-uapi.ts';
import { landlockAbi } from './confine.ts';
import * as confine from './confine-uapi.ts';
import { Pins } from './pins.ts';
import { RuleWriter } from './rule-writer.ts';
import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** include/uapi/linux/landlock.h: LANDLOCK_SCOPE_SIGNAL */
const SCOPE_SIGNAL = 2;
const SCOPED_AT = 16;
const RULESET_BYTES = 24;

/** One is enough for all that this process starts. */
let isMarked = false;

/**
 * Takes a Landlock domain that confines nothing but signals, where the kernel has that (ABI 6): kill(-1) then reaches
 * this process's tree, all of it at once, and nothing else.
 *
 * @returns false where there is none, or no room for one more inside those around it: nothing can be confined then, which the launch says.
 */
export function takeSignalDomain(): boolean {
  if (landlockAbi() < ABI_WITH_SIGNALS) {
    markTree();
    return false;
  }
  try {
    restrict(SCOPE_SIGNAL);
    return true;
  } catch (error) {
    if (isErrno(error, 'E2BIG')) return false;
    throw error;
  }
}

/**
 * Before that: a domain that forbids nothing. The kernel lets this process look only at processes that it starts from now on,
 * and by that the mediator finds out whom a signal may reach.
 */
export function markTree(): void {
  const abi = landlockAbi();
  if (isMarked || abi < ABI_WITH_MARK || abi >= ABI_WITH_SIGNALS) return;
  isMarked = true;
  restrict(0);
}

/**
 * Renaming and linking between directories is forbidden by every domain that has no rule for it, be it one that handles nothing
 * of the file system (include/uapi/linux/landlock.h), so this one allows it everywhere.
 */
function restrict(scoped: number): void {
  syscall('prctl', confine.PR_SET_NO_NEW_PRIVS, 1);
  const attributes = fixedBuffer(RULESET_BYTES);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, ACCESS_FS.refer, true);
  view.setUint32(SCOPED_AT, scoped, true);
  const ruleset = syscall('landlock_create_ruleset', addressOf(attributes), attributes.length, 0);
  const pins = new Pins();
  try {
    new RuleWriter(ruleset, pins).add({ path: '/' as Bytes, rights: ACCESS_FS.refer, isRequired: true });
    syscall('landlock_restrict_self', ruleset, 0);
  } finally {
    pins.release();
    syscall('close', ruleset);
  }
}
