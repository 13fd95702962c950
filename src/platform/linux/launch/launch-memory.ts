import type { Bytes } from '../../../bytes.ts';
import { SystemError } from '../../../errors.ts';
import type { Launch, LaunchFailure, LaunchStep } from '../../../sandbox/launch.ts';
import { loadAssembly } from '../assembly.ts';
import { realPath, Scratch } from '../file-calls.ts';
import { mapMemory } from '../machine-code.ts';
import { errnoName } from '../syscalls.ts';
import { WordMemory } from './word-memory.ts';

/** In the order of the enumeration in launch.c. */
const STEPS: readonly LaunchStep[] = [
  'supervisor',
  'descriptors',
  'directory',
  'capabilities',
  'privileges',
  'ruleset',
  'rule',
  'restrict',
  'signals',
  'filter',
  'execute',
];
const DONE = -1;
const NOTHING = -1;
/** Beside the rights in launch.c. */
const REQUIRED = 2 ** 30;
const SHELL = '/bin/sh' as Bytes;

const WORD_BYTES = 8;
const STACK_BYTES = 16 * 1024;
/** struct launch: words. The answers are the first four. */
const WORDS = 29;
const STEP_AT = 0;
const LISTENER_AT = 3;
/** struct sock_filter of include/uapi/linux/filter.h: code, jt, jf, k. */
const SOCK_FILTER_BYTES = 8;

/**
 * A launch as launch.c reads it. All of it stays where it is for as long as this object is in use: until the process is the command, or its child
 * has begun to be.
 */
export class LaunchMemory {
  readonly #launch: Launch;
  readonly #memory = new WordMemory(WORDS);

  constructor(launch: Launch, { takesTerminal = false } = {}) {
    this.#launch = launch;
    const { system, cloneAddress } = loadAssembly();
    const { landlock, signals, filter, executables, command, environment } = launch;
    const memory = this.#memory;
    const stack = mapMemory(STACK_BYTES);
    memory.put(STEP_AT, [DONE, 0, -1, -1]);
    memory.put(4, [system, cloneAddress, stack.address + STACK_BYTES - 2 * WORD_BYTES]);
    memory.put(7, [launch.supervisorPid, takesTerminal ? 1 : 0, memory.text([launch.workingDirectory]), launch.capabilities]);
    memory.put(11, [landlock.handledFs, landlock.handledNet, landlock.scoped]);
    this.#putRules();
    this.#putPorts();
    memory.put(19, [signalSet(signals.ignored), signalSet(signals.blocked)]);
    memory.put(21, [this.#program(filter), launch.mediation === null ? 0 : 1]);
    const [path = '' as Bytes] = executables;
    const shell = [SHELL, path, ...command.slice(1)];
    memory.put(23, [memory.vector(executables), memory.vector(command), memory.vector(shell), memory.vector(environment)]);
    memory.put(27, [NOTHING, launch.descriptors ?? 0]);
  }

  get address(): number {
    return this.#memory.address;
  }

  /** What the mediator is to listen on, once the filter is on. */
  get listener(): number | undefined {
    const listener = this.#memory.get(LISTENER_AT);
    return listener < 0 ? undefined : listener;
  }

  /** @returns undefined while nothing has failed. */
  get failure(): LaunchFailure | undefined {
    const step = this.#memory.get(STEP_AT);
    const error = this.#memory.get(STEP_AT + 1);
    const item = this.#memory.get(STEP_AT + 2);
    const name = STEPS[step];
    if (name === undefined) return undefined;
    const { workingDirectory, landlock, executables } = this.#launch;
    const paths = { directory: workingDirectory, rule: landlock.rules[item]?.path, execute: executables[item] } as const;
    const path = name === 'directory' || name === 'rule' || name === 'execute' ? paths[name] : undefined;
    const errno = errnoName(error);
    const target = name === 'execute' && errno === 'EACCES' && path !== undefined ? whereLinksLead(path) : undefined;
    return {
      step: name,
      errno,
      ...(path === undefined ? {} : { path }),
      ...(target === undefined || target === path ? {} : { target }),
    };
  }

  #putRules(): void {
    const { rules } = this.#launch.landlock;
    const rights = new Uint32Array(new ArrayBuffer(Math.max(1, rules.length) * 4));
    const paths: Bytes[] = [];
    for (const rule of rules) {
      rights[paths.length] = rule.rights + (rule.isRequired ? REQUIRED : 0);
      paths.push(rule.path);
    }
    this.#memory.put(14, [rules.length, this.#memory.hold(rights), this.#memory.text(paths)]);
  }

  #putPorts(): void {
    const { ports } = this.#launch.landlock;
    const words = new BigInt64Array(new ArrayBuffer(Math.max(1, 2 * ports.length) * WORD_BYTES));
    ports.forEach((port, at) => {
      words[2 * at] = BigInt(port.rights);
      words[2 * at + 1] = BigInt(port.port);
    });
    this.#memory.put(17, [ports.length, this.#memory.hold(words)]);
  }

  /** struct sock_fprog: a 16-bit length, padding, a pointer to the instructions. */
  #program(filter: Bytes): number {
    const program = new BigInt64Array(new ArrayBuffer(2 * WORD_BYTES));
    program[0] = BigInt(filter.length / SOCK_FILTER_BYTES);
    program[1] = BigInt(this.#memory.text([filter]));
    return this.#memory.hold(program);
  }
}

/** Signal N is bit N - 1. */
function signalSet(signals: readonly number[]): bigint {
  let set = 0n;
  for (const signal of signals) set |= 1n << BigInt(signal - 1);
  return BigInt.asIntN(64, set);
}

/** @returns undefined where that cannot be told: what keeps it from being looked for keeps the program from being run. */
function whereLinksLead(path: Bytes): Bytes | undefined {
  try {
    return realPath(path, new Scratch());
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return undefined;
  }
}
