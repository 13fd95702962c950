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

/** Which sides of the branch at an index need a plain jump. */
interface Detours {
  readonly yes: Set<number>;
  readonly no: Set<number>;
}

/**
 * Turns statements into instructions. Jumps go forward only, as the kernel demands.
 *
 * @throws {RangeError} for a label that is missing, doubled or behind, and a program that is too long: bugs, not input.
 */
export function assemble(statements: readonly Statement[]): readonly Instruction[] {
  const detours: Detours = { yes: new Set(), no: new Set() };
  for (;;) {
    const places = layOut(statements, detours);
    // Detours only ever make the program longer, so this ends.
    if (!addDetours(statements, places, detours)) return emit(statements, places, detours);
  }
}

interface Places {
  /** Where the statement of an index begins. */
  readonly starts: readonly number[];
  readonly labels: ReadonlyMap<string, number>;
}

function layOut(statements: readonly Statement[], { yes, no }: Detours): Places {
  const starts: number[] = [];
  const labels = new Map<string, number>();
  let at = 0;
  statements.forEach((statement, index) => {
    starts.push(at);
    if (statement.kind !== 'label') {
      at += 1 + Number(yes.has(index)) + Number(no.has(index));
      return;
    }
    if (labels.has(statement.name)) throw new RangeError(`The label ${statement.name} is there twice`);
    labels.set(statement.name, at);
  });
  if (at > MAXIMUM_INSTRUCTIONS) throw new RangeError(`A filter of ${at} instructions is too long`);
  return { starts, labels };
}

/** @returns whether any was added. */
function addDetours(statements: readonly Statement[], places: Places, detours: Detours): boolean {
  let isChanged = false;
  statements.forEach((statement, index) => {
    if (statement.kind !== 'branch') return;
    for (const side of ['yes', 'no'] as const) {
      const label = statement[side];
      if (label === undefined || detours[side].has(index)) continue;
      if (distance(places, (places.starts[index] ?? 0) + 1, label) <= LONGEST_BRANCH) continue;
      detours[side].add(index);
      isChanged = true;
    }
  });
  return isChanged;
}

/** From the instruction at `from` to the label. */
function distance({ labels }: Places, from: number, label: string): number {
  const target = labels.get(label);
  if (target === undefined) throw new RangeError(`There is no label ${label}`);
  if (target < from) throw new RangeError(`The label ${label} is behind its jump`);
  return target - from;
}

function emit(statements: readonly Statement[], places: Places, detours: Detours): readonly Instruction[] {
  return statements.flatMap((statement, index): readonly Instruction[] => {
    const next = (places.starts[index] ?? 0) + 1;
    switch (statement.kind) {
      case 'label':
        return [];
      case 'load':
        return [[CODE.load, 0, 0, statement.offset]];
      case 'and':
        return [[CODE.and, 0, 0, statement.constant]];
      case 'return':
        return [[CODE.return, 0, 0, statement.value]];
      case 'jump':
        return [[CODE.jump, 0, 0, distance(places, next, statement.to)]];
      case 'branch':
        return emitBranch(statement, next, places, { yes: detours.yes.has(index), no: detours.no.has(index) });
    }
  });
}

/** The branch, then the plain jump of its yes side, then that of its no side, where they are needed. */
function emitBranch(
  { test, constant, yes, no }: Branch,
  next: number,
  places: Places,
  far: { readonly yes: boolean; readonly no: boolean },
): readonly Instruction[] {
  const behind = Number(far.yes) + Number(far.no);
  const near = (label: string | undefined): number => (label === undefined ? behind : distance(places, next, label));
  const jumps: Instruction[] = [];
  const detour = (label: string | undefined): number => {
    const place = jumps.length;
    jumps.push([CODE.jump, 0, 0, distance(places, next + place + 1, label ?? '')]);
    return place;
  };
  const jumpTrue = far.yes ? detour(yes) : near(yes);
  const jumpFalse = far.no ? detour(no) : near(no);
  return [[CODE[test], jumpTrue, jumpFalse, constant], ...jumps];
}
