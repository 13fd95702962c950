/**
 * An assembler for classic BPF as seccomp(2) takes it (include/uapi/linux/bpf_common.h and filter.h, Linux 6.18).
 *
 * Only the instructions that the kernel can evaluate ahead of time are offered (seccomp_is_const_allow of
 * kernel/seccomp.c): a system call that is allowed whatever its arguments then never runs the filter.
 */

/** One `struct sock_filter`. */
export type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, constant: number];

/** BPF_MAXINSNS of include/uapi/linux/bpf_common.h. */
export const MAXIMUM_INSTRUCTIONS = 4096;

/** The codes that this assembler emits. */
export const CODE = {
  /** BPF_LD | BPF_W | BPF_ABS */
  load: 0x20,
  /** BPF_ALU | BPF_AND | BPF_K */
  and: 0x54,
  /** BPF_JMP | BPF_JA */
  jump: 0x05,
  /** BPF_JMP | BPF_JEQ | BPF_K */
  equal: 0x15,
  /** BPF_JMP | BPF_JGT | BPF_K */
  greater: 0x25,
  /** BPF_JMP | BPF_JGE | BPF_K */
  atLeast: 0x35,
  /** BPF_JMP | BPF_JSET | BPF_K: any common bit */
  anyBit: 0x45,
  /** BPF_RET | BPF_K */
  return: 0x06,
} as const;

/** Of the accumulator with a constant: BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET. */
export type Test = 'equal' | 'greater' | 'atLeast' | 'anyBit';

/** What a program is made of; comparisons are unsigned, of the loaded word with `constant`. */
export type Statement =
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'load'; readonly offset: number }
  | { readonly kind: 'and'; readonly constant: number }
  | { readonly kind: 'return'; readonly value: number }
  | { readonly kind: 'jump'; readonly to: string }
  | Branch;

/** A side without a label goes on with the next statement. */
export interface Branch {
  readonly kind: 'branch';
  readonly test: Test;
  readonly constant: number;
  readonly yes?: string | undefined;
  readonly no?: string | undefined;
}

/** Conditional jumps have 8 bits for each distance; a side that is further away goes through a plain jump behind. */
const LONGEST_BRANCH = 255;

/**
 * Turns statements into instructions. Jumps go forward only, as the kernel demands; so it is done from the end, where
 * every label is known when a jump to it is met.
 *
 * @throws {RangeError} for a label that is missing, doubled or behind, and a program that is too long: bugs, not input.
 */
export function assemble(statements: readonly Statement[]): readonly Instruction[] {
  const program = new BackwardProgram();
  for (let at = statements.length - 1; at >= 0; at--) program.prepend(statements[at] as Statement);
  return program.finish();
}

/** A program whose beginning is not written yet. */
class BackwardProgram {
  /** The last one first. */
  readonly #reversed: Instruction[] = [];
  /** How many instructions there are from the label to the end. */
  readonly #labels = new Map<string, number>();

  prepend(statement: Statement): void {
    switch (statement.kind) {
      case 'label':
        if (this.#labels.has(statement.name)) throw new RangeError(`The label ${statement.name} is there twice`);
        this.#labels.set(statement.name, this.#reversed.length);
        return;
      case 'load':
        this.#reversed.push([CODE.load, 0, 0, statement.offset]);
        return;
      case 'and':
        this.#reversed.push([CODE.and, 0, 0, statement.constant]);
        return;
      case 'return':
        this.#reversed.push([CODE.return, 0, 0, statement.value]);
        return;
      case 'jump':
        this.#jump(statement.to);
        return;
      case 'branch':
        this.#branch(statement);
    }
  }

  finish(): readonly Instruction[] {
    const length = this.#reversed.length;
    if (length > MAXIMUM_INSTRUCTIONS) throw new RangeError(`A filter of ${length} instructions is too long`);
    return this.#reversed.reverse();
  }

  #jump(label: string): void {
    this.#reversed.push([CODE.jump, 0, 0, this.#distance(label)]);
  }

  #branch({ test, constant, yes, no }: Branch): void {
    const start = this.#reversed.length;
    // Where the yes side goes must stay within reach when the detour of the no side comes between.
    const detourNo = no !== undefined && this.#distance(no) >= LONGEST_BRANCH ? this.#detour(no) : undefined;
    const detourYes = yes !== undefined && this.#distance(yes) > LONGEST_BRANCH ? this.#detour(yes) : undefined;
    const side = (label: string | undefined, detour: number | undefined): number =>
      this.#reversed.length - (detour ?? (label === undefined ? start : this.#position(label)));
    this.#reversed.push([CODE[test], side(yes, detourYes), side(no, detourNo), constant]);
  }

  /** @returns its position. */
  #detour(label: string): number {
    this.#jump(label);
    return this.#reversed.length;
  }

  /** From the instruction that is about to be written. */
  #distance(label: string): number {
    return this.#reversed.length - this.#position(label);
  }

  #position(label: string): number {
    const position = this.#labels.get(label);
    if (position === undefined) throw new RangeError(`There is no label ${label} ahead`);
    return position;
  }
}
