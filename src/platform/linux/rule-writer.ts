import { type Bytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { LandlockRule } from '../../sandbox/linux/landlock.ts';
import * as confine from './confine-uapi.ts';
import type { Pins } from './pins.ts';
import { errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** PATH_MAX of include/uapi/linux/limits.h, the NUL included. */
const PATH_BYTES = 4096;
/** struct open_how: flags, mode, resolve. */
const HOW_BYTES = 24;
const RESOLVE_AT = 16;
/** struct landlock_path_beneath_attr, packed: allowed_access, parent_fd. */
const RULE_BYTES = 12;
const DESCRIPTOR_AT = 8;

/** Adds rules to one ruleset. Its memory is made once, because a plan has hundreds of rules. */
export class RuleWriter {
  readonly #ruleset: number;
  readonly #path: Buffer;
  readonly #pathAddress: number;
  readonly #howAddress: number;
  readonly #rule: DataView;
  readonly #ruleAddress: number;

  constructor(ruleset: number, pins: Pins) {
    this.#ruleset = ruleset;
    this.#path = Buffer.from(fixedBuffer(PATH_BYTES).buffer);
    this.#pathAddress = pins.address(this.#path);
    const how = fixedBuffer(HOW_BYTES);
    const view = new DataView(how.buffer);
    view.setUint32(0, uapi.O_PATH | uapi.O_CLOEXEC, true);
    // The plan's paths have their links resolved, so a link met now was put there since, perhaps by another
    // sandboxed command that wants more: it is refused, never followed.
    view.setUint32(RESOLVE_AT, uapi.RESOLVE_NO_SYMLINKS, true);
    this.#howAddress = pins.address(how);
    const rule = fixedBuffer(RULE_BYTES);
    this.#rule = new DataView(rule.buffer);
    this.#ruleAddress = pins.address(rule);
  }

  /** @throws {SystemError} for a required path that is not there any more, and whatever Landlock refuses. */
  add({ path, rights, isRequired }: LandlockRule): void {
    const opened = trySyscall('openat2', uapi.AT_FDCWD, this.#place(path), this.#howAddress, HOW_BYTES);
    if (opened < 0) {
      if (isRequired) throw new SystemError('openat2', errnoName(-opened), displayBytes(path));
      return;
    }
    this.#rule.setUint32(0, rights, true);
    this.#rule.setInt32(DESCRIPTOR_AT, opened, true);
    try {
      syscall('landlock_add_rule', this.#ruleset, confine.LANDLOCK_RULE_PATH_BENEATH, this.#ruleAddress);
    } finally {
      trySyscall('close', opened);
    }
  }

  #place(path: Bytes): number {
    if (path.length >= PATH_BYTES) throw new SystemError('openat2', 'ENAMETOOLONG', displayBytes(path));
    this.#path[this.#path.write(path, 0, 'latin1')] = 0;
    return this.#pathAddress;
  }
}
