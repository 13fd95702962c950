import type { Bytes } from '../../../bytes.ts';
import { SystemError } from '../../../errors.ts';
import type { LandlockRuleset } from '../../../sandbox/linux/landlock.ts';
import { loadAssembly } from '../assembly.ts';
import { mapMemory } from '../machine-code.ts';
import { startRawThread } from '../raw-thread.ts';
import { errnoName, syscall } from '../syscalls.ts';
import { loadLaunch, RUN } from './load.ts';
import { WordMemory } from './word-memory.ts';

/** Beside the rights in launch.c. */
const REQUIRED = 2 ** 30;
/** struct groundwork of launch.c: words. The answers are the first seven. */
const WORDS = 17;
const DONE = -1;
const NOTHING = -1;
const READY_AT = 1;
const MADE_AT = 2;
const STACK_BYTES = 16 * 1024;
/** include/uapi/linux/eventfd.h */
const EFD_CLOEXEC = 0o2000000;

/** A directory that is to be made, and the ruleset of a launch: launch.c makes them when the launch comes to it, or on a thread of their own before. */
export class LinuxGroundwork {
  readonly #memory = new WordMemory(WORDS);
  readonly #directory: Bytes | undefined;

  constructor({ handledFs, handledNet, scoped, rules, ports }: LandlockRuleset, directory?: Bytes) {
    const memory = this.#memory;
    const rights = new Uint32Array(new ArrayBuffer(Math.max(1, rules.length) * 4));
    const paths: Bytes[] = [];
    for (const rule of rules) {
      rights[paths.length] = rule.rights + (rule.isRequired ? REQUIRED : 0);
      paths.push(rule.path);
    }
    const words = new BigInt64Array(new ArrayBuffer(Math.max(1, 2 * ports.length) * 8));
    ports.forEach((port, at) => {
      words[2 * at] = BigInt(port.rights);
      words[2 * at + 1] = BigInt(port.port);
    });
    this.#directory = directory;
    memory.put(0, [0, NOTHING, 0, NOTHING, DONE, 0, NOTHING]);
    memory.put(7, [loadAssembly().system, directory === undefined ? 0 : memory.text([directory]), handledFs, handledNet, scoped]);
    memory.put(12, [rules.length, memory.hold(rights), memory.text(paths), ports.length, memory.hold(words)]);
  }

  get address(): number {
    return this.#memory.address;
  }

  /** On a thread that the runtime does not know; where the system gives none, here and now. */
  begin(): void {
    const run = loadLaunch();
    this.#memory.put(READY_AT, [syscall('eventfd2', 0, EFD_CLOEXEC)]);
    if (startRawThread(mapMemory(STACK_BYTES), run(this.address, RUN.beside)) < 0) run(this.address, RUN.prepare);
  }

  /** Waits for it. @throws {SystemError} when the directory could not be made. */
  checkDirectory(): void {
    loadLaunch()(this.address, RUN.await);
    const made = this.#memory.get(MADE_AT);
    if (made < 0) throw new SystemError('mkdirat', errnoName(-made), this.#directory);
  }
}
