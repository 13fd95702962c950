import { type Bytes, displayBytes } from '../../bytes.ts';
import { joinPath } from '../../paths.ts';
import type { Explanation, Operation, Target } from '../../sandbox/explain.ts';
import type { Attempt, AttemptResults } from '../../sandbox/launch.ts';
import type { Plan } from '../../sandbox/plan.ts';

/** What is tried to answer one question. */
export interface PlannedAttempts {
  /** By nono itself: what permissions say without a sandbox. */
  readonly outside: readonly Attempt[];
  /** In the sandbox. */
  readonly inside: readonly Attempt[];
}

/** An answer, and whether the kernel was asked. */
export interface Judgement {
  readonly isAllowed: boolean;
  readonly reason: string;
  readonly probe: 'confirmed' | 'disagrees' | 'skipped';
  readonly way: string | undefined;
}

/** What the kernel answers when it refuses; other errors say nothing of rights (a program that runs cannot be written). */
const REFUSALS: readonly string[] = ['EACCES', 'EPERM', 'EROFS'];

/**
 * What can be tried without any effect: regular files and directories only, because opening a device or a FIFO can do
 * something, and changing a directory only where there is an entry that can be renamed to its own name. Of the others only the permissions are asked for.
 */
export function chooseAttempts(
  { path, kind, directory }: Target,
  operation: Operation,
  firstEntry: (directory: Bytes) => Bytes | undefined,
): PlannedAttempts {
  // None of what this sandbox itself mediates is tried: only permissions are asked for.
  if (operation === 'connect') return { outside: kind === 'socket' ? [{ call: 'socket-permissions', path }] : [], inside: [] };
  const calls = operation === 'readwrite' ? (['read', 'write'] as const) : [operation];
  if (kind === 'file') {
    const attempts = calls.map((call) => ({ call, path }));
    return { outside: attempts, inside: attempts };
  }
  if (kind !== 'directory' && kind !== undefined)
    return { outside: calls.map((call) => ({ call: `${call}-permissions` as const, path })), inside: [] };
  const changed = kind === undefined ? directory : path;
  const list: readonly Attempt[] = operation === 'write' || kind === undefined ? [] : [{ call: 'read', path }];
  if (operation === 'read') return { outside: list, inside: list };
  // Nothing tells whether a file that is not there could be read, without making it.
  const entry = operation === 'readwrite' && kind === undefined ? undefined : firstEntry(changed);
  const rename: readonly Attempt[] = entry === undefined ? [] : [{ call: 'rename', path: joinPath(changed, entry) }];
  // That it can be listed says nothing of changing it.
  const inside = rename.length === 0 ? [] : [...list, ...rename];
  return { outside: [...list, { call: 'directory-permissions', path: changed }], inside };
}

/** Of a connect inside another nono, whose mediator goes by its own grants: that one was asked, and the plan has no say. */
export function judgeByOuter(
  planned: Explanation,
  { network }: Pick<Plan, 'network'>,
  answer: AttemptResults | undefined,
): Explanation {
  const isAllowed = answer === undefined ? undefined : kernelAnswer(answer);
  if (isAllowed === undefined)
    return { ...planned, reason: `${planned.reason}; inside another nono, the grants of that one decide` };
  const closed =
    network.mode === 'blocked' ? 'without a network nothing is connected to' : 'the grants of that one do not give it';
  return { isAllowed, reason: `inside another nono, ${isAllowed ? 'the grants of that one give it' : closed}`, rules: [] };
}

interface Evidence {
  readonly explanation: Explanation;
  readonly attempts: PlannedAttempts;
  readonly outside: AttemptResults;
  /** Undefined when nothing was tried. */
  readonly inside: AttemptResults | undefined;
}

/** What the plan says, held against permissions and against the kernel's own answer, which is the one that counts. */
export function judge({ explanation, attempts, outside, inside }: Evidence): Judgement {
  const refusedOutside = outside.findIndex(isRefusal);
  const own = refusedOutside < 0 ? undefined : attempts.outside[refusedOutside];
  const isAllowed = explanation.isAllowed && own === undefined;
  const reason =
    explanation.isAllowed && own !== undefined
      ? `the sandbox would allow it, but you may not ${ownWord(own)} ${displayBytes(own.path)} yourself (${outside[refusedOutside]})`
      : explanation.reason;
  const way = explanation.way;
  const kernel = inside === undefined ? undefined : kernelAnswer(inside);
  if (kernel === undefined) return { isAllowed, reason, probe: 'skipped', way };
  if (kernel === isAllowed) return { isAllowed, reason, probe: 'confirmed', way };
  // A refusal of permissions that the attempt inside does not ask for, as renaming to the same name.
  if (kernel && own !== undefined) return { isAllowed, reason, probe: 'skipped', way };
  return {
    isAllowed: kernel,
    reason: `the kernel ${kernel ? 'allows' : 'refuses'} it, although: ${reason}`,
    probe: 'disagrees',
    way,
  };
}

/** @returns undefined when nothing was tried, or what came says nothing of rights. */
function kernelAnswer(results: AttemptResults): boolean | undefined {
  if (results.length === 0) return undefined;
  if (results.some(isRefusal)) return false;
  return results.every((result) => result === null) ? true : undefined;
}

function isRefusal(result: string | null): boolean {
  return result !== null && REFUSALS.includes(result);
}

function ownWord({ call }: Attempt): string {
  if (call === 'socket-permissions') return 'connect to';
  return call.startsWith('read') ? 'read' : 'write';
}
