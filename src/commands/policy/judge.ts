import { type Bytes, displayBytes } from '../../bytes.ts';
import { joinPath } from '../../paths.ts';
import type { Explanation, Operation, Target } from '../../sandbox/explain.ts';
import type { Attempt, AttemptResults } from '../../sandbox/launch.ts';

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
 * something, and changing a directory only where there is an entry that can be renamed to its own name.
 */
export function chooseAttempts(
  { path, kind, directory }: Target,
  operation: Operation,
  firstEntry: (directory: Bytes) => Bytes | undefined,
): PlannedAttempts {
  // Whoever listens would notice a connection: only permissions are asked for.
  if (operation === 'connect') return { outside: kind === 'socket' ? [{ call: 'socket-permissions', path }] : [], inside: [] };
  if (kind === 'file') {
    const calls = operation === 'readwrite' ? (['read', 'write'] as const) : [operation];
    const attempts = calls.map((call) => ({ call, path }));
    return { outside: attempts, inside: attempts };
  }
  if (kind !== 'directory' && kind !== undefined) return { outside: [], inside: [] };
  const changed = kind === undefined ? directory : path;
  const list: readonly Attempt[] = operation === 'write' || kind === undefined ? [] : [{ call: 'read', path }];
  if (operation === 'read') return { outside: list, inside: list };
  // Nothing tells whether a file that is not there could be read, without making it.
  const entry = operation === 'readwrite' && kind === undefined ? undefined : firstEntry(changed);
  const rename: readonly Attempt[] = entry === undefined ? [] : [{ call: 'rename', path: joinPath(changed, entry) }];
  return { outside: [...list, { call: 'directory-permissions', path: changed }], inside: [...list, ...rename] };
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
  const kernel = kernelAnswer(attempts.inside, inside);
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
function kernelAnswer(attempts: readonly Attempt[], results: AttemptResults | undefined): boolean | undefined {
  if (results === undefined || attempts.length === 0) return undefined;
  if (results.some(isRefusal)) return false;
  return results.every((result) => result === null) ? true : undefined;
}

function isRefusal(result: string | null): boolean {
  return result !== null && REFUSALS.includes(result);
}

function ownWord({ call }: Attempt): string {
  if (call === 'socket-permissions') return 'connect to';
  return call === 'read' ? 'read' : 'write';
}
