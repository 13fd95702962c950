import { type Bytes, putBytes } from '../../../bytes.ts';
import { collect } from '../../../collect.ts';
import type { Launch, LaunchFailure, LaunchStep } from '../../../sandbox/launch.ts';
import { loadAssembly } from '../assembly.ts';
import { mapMemory } from '../machine-code.ts';
import { addressOf, errnoName, fixedBuffer } from '../syscalls.ts';

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
/** Beside the rights in launch.c. */
const REQUIRED = 2 ** 30;
const SHELL = '/bin/sh' as Bytes;

const WORD_BYTES = 8;
const STACK_BYTES = 16 * 1024;
/** struct launch: words. The answers are the first four. */
const WORDS = 30;
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
  readonly #held: Uint8Array[] = [];
  readonly #words = new BigInt64Array(new ArrayBuffer(WORDS * WORD_BYTES));
  readonly address: number;

  constructor(launch: Launch, { takesTerminal = false } = {}) {
    this.#launch = launch;
    const { system, cloneAddress } = loadAssembly();
    const { landlock, signals, filter } = launch;
    const stack = mapMemory(STACK_BYTES);
    this.#put([DONE, 0, -1, -1], 0);
    this.#put([system, cloneAddress, stack.address + STACK_BYTES - 2 * WORD_BYTES], 4);
    this.#put([launch.supervisorPid, takesTerminal ? 1 : 0, this.#text([launch.workingDirectory]), launch.capabilities], 7);
    this.#put([landlock.handledFs, landlock.handledNet, landlock.scoped], 11);
    this.#put([landlock.rules.length, this.#rights(), this.#text(landlock.rules.map(({ path }) => path))], 14);
    this.#put([landlock.ports.length, this.#ports()], 17);
    this.#words.set([signalSet(signals.ignored), signalSet(signals.blocked)], 19);
    this.#put([this.#program(filter), launch.mediation === null ? 0 : 1], 21);
    const { executables, command, environment } = launch;
    const [path = '' as Bytes] = executables;
    this.#put(
      [executables, command, [SHELL, path, ...command.slice(1)], environment].map((items) => this.#vector(items)),
      23,
    );
    this.address = this.#hold(new Uint8Array(this.#words.buffer));
  }

  /** What the mediator is to listen on, once the filter is on. */
  get listener(): number | undefined {
    const listener = Number(this.#words[LISTENER_AT]);
    return listener < 0 ? undefined : listener;
  }

  /** @returns undefined while nothing has failed. */
  get failure(): LaunchFailure | undefined {
    const [step, error, item] = [STEP_AT, STEP_AT + 1, STEP_AT + 2].map((at) => Number(this.#words[at])) as [
      number,
      number,
      number,
    ];
    const name = STEPS[step];
    if (name === undefined) return undefined;
    const { workingDirectory, landlock, executables } = this.#launch;
    const paths = { directory: workingDirectory, rule: landlock.rules[item]?.path, execute: executables[item] } as const;
    const path = name === 'directory' || name === 'rule' || name === 'execute' ? paths[name] : undefined;
    return { step: name, errno: errnoName(error), ...(path === undefined ? {} : { path }) };
  }

  #put(values: readonly number[], at: number): void {
    values.forEach((value, index) => {
      this.#words[at + index] = BigInt(value);
    });
  }

  #hold(memory: Uint8Array): number {
    this.#held.push(memory);
    return addressOf(memory);
  }

  /** Strings one after the other, each ended by NUL. */
  #text(items: readonly Bytes[]): number {
    const text = `${items.join('\0')}\0` as Bytes;
    const memory = fixedBuffer(text.length);
    putBytes(memory, text);
    return this.#hold(memory);
  }

  /** The address of an array of strings that is ended by 0. */
  #vector(items: readonly Bytes[]): number {
    let address = this.#text(items);
    const pointers = new BigInt64Array(new ArrayBuffer((items.length + 1) * WORD_BYTES));
    items.forEach((item, at) => {
      pointers[at] = BigInt(address);
      address += item.length + 1;
    });
    return this.#hold(new Uint8Array(pointers.buffer));
  }

  #rights(): number {
    const rights = this.#launch.landlock.rules.map((rule) => rule.rights + (rule.isRequired ? REQUIRED : 0));
    const memory = new Uint32Array(new ArrayBuffer(Math.max(1, rights.length) * 4));
    memory.set(rights);
    return this.#hold(new Uint8Array(memory.buffer));
  }

  #ports(): number {
    const words = collect(this.#launch.landlock.ports, ({ rights, port }) => [BigInt(rights), BigInt(port)]);
    const memory = new BigInt64Array(new ArrayBuffer(Math.max(1, words.length) * WORD_BYTES));
    if (words.length > 0) memory.set(words);
    return this.#hold(new Uint8Array(memory.buffer));
  }

  /** struct sock_fprog: a 16-bit length, padding, a pointer to the instructions. */
  #program(filter: Bytes): number {
    const program = new BigInt64Array(new ArrayBuffer(2 * WORD_BYTES));
    program[0] = BigInt(filter.length / SOCK_FILTER_BYTES);
    program[1] = BigInt(this.#text([filter]));
    return this.#hold(new Uint8Array(program.buffer));
  }
}

/** Signal N is bit N - 1. */
function signalSet(signals: readonly number[]): bigint {
  let set = 0n;
  for (const signal of signals) set |= 1n << BigInt(signal - 1);
  return BigInt.asIntN(64, set);
}
