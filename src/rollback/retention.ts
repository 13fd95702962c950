import type { Bytes } from '../bytes.ts';

/** What retention knows of a session; nothing that costs more than its manifest. */
export interface RetentionItem {
  readonly id: Bytes;
  /** Sessions of one project go by its working directory. */
  readonly project: Bytes;
  readonly startedMs: number;
  readonly isChanged: boolean;
  /** Running, being restored, or just made: never removed. */
  readonly isProtected: boolean;
  /** A restore that was interrupted: only with it and its session can the files become what they were, or were to be. Goes only when it is asked for. */
  readonly isInterrupted: boolean;
  /** The session that this restore undoes; it goes with it. */
  readonly restores: Bytes | undefined;
  /** What it takes on the disk. */
  readonly bytes: number;
}

/** Of all sessions of a user together. */
export interface RetentionLimits {
  readonly maxSessions: number;
  readonly maxBytes: number;
}

/** A run with the restores of it, and the restores of those. */
interface Family {
  readonly members: readonly RetentionItem[];
  /** When the last of them began: what a restore has just overwritten only its own session holds, however old the run is. */
  readonly lastMs: number;
  readonly project: Bytes;
  readonly isChanged: boolean;
  readonly isProtected: boolean;
  readonly isInterrupted: boolean;
  readonly bytes: number;
}

/**
 * The sessions to remove so that the rest keeps within the limits, in the order of their removal:
 * first those that changed nothing, then the oldest, the newest of each project last. Restores are not
 * counted and go with the session that they undo, which is as young as the last of them. Where what may not go takes more than the limit by itself, the
 * rest has the limit for itself: a project that is larger would cost all others their sessions at the end of each run, and still be too large.
 */
export function chooseByLimits(items: readonly RetentionItem[], limits: RetentionLimits): Bytes[] {
  const families = groupFamilies(items);
  let counted = families.length;
  let bytes = families.reduce((sum, family) => sum + family.bytes, 0);
  const removed: Family[] = [];
  const mayGo = orderOfRemoval(families);
  const staysBytes = mayGo.reduce((rest, family) => rest - family.bytes, bytes);
  const maxBytes = limits.maxBytes + (staysBytes > limits.maxBytes ? staysBytes : 0);
  for (const family of mayGo) {
    if (counted <= limits.maxSessions && bytes <= maxBytes) break;
    removed.push(family);
    counted -= 1;
    bytes -= family.bytes;
  }
  return removed.flatMap(({ members }) => members.map(({ id }) => id));
}

/** All but the `keep` newest that may go. */
export function chooseByCount(items: readonly RetentionItem[], keep: number): Bytes[] {
  const newestFirst = groupFamilies(items).toSorted((a, b) => b.lastMs - a.lastMs);
  return idsOf(newestFirst.slice(keep));
}

/** What began before `epochMs`, with all that belongs to it. */
export function chooseByAge(items: readonly RetentionItem[], epochMs: number): Bytes[] {
  return idsOf(groupFamilies(items).filter(({ lastMs }) => lastMs < epochMs));
}

function idsOf(families: readonly Family[]): Bytes[] {
  return families.filter(({ isProtected }) => !isProtected).flatMap(({ members }) => members.map(({ id }) => id));
}

function orderOfRemoval(families: readonly Family[]): Family[] {
  const newest = new Map<Bytes, Family>();
  for (const family of families) {
    const known = newest.get(family.project);
    if (family.isChanged && (known === undefined || family.lastMs > known.lastMs)) newest.set(family.project, family);
  }
  const rank = (family: Family) => (family.isChanged ? (newest.get(family.project) === family ? 2 : 1) : 0);
  const mayGo = families.filter(({ isProtected, isInterrupted }) => !isProtected && !isInterrupted);
  return mayGo.toSorted((a, b) => rank(a) - rank(b) || a.lastMs - b.lastMs);
}

function groupFamilies(items: readonly RetentionItem[]): Family[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const members = new Map<Bytes, RetentionItem[]>();
  for (const item of items) {
    const head = headOf(item, byId);
    members.set(head, [...(members.get(head) ?? []), item]);
  }
  return Array.from(members, ([head, family]) => {
    const { project } = byId.get(head) as RetentionItem;
    return {
      members: family,
      lastMs: Math.max(...family.map(({ startedMs }) => startedMs)),
      project,
      isChanged: family.some(({ isChanged }) => isChanged),
      isProtected: family.some(({ isProtected }) => isProtected),
      isInterrupted: family.some(({ isInterrupted }) => isInterrupted),
      bytes: family.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}

/** Follows `restores` to the run; a restore whose session is gone stands for itself. */
function headOf(item: RetentionItem, byId: ReadonlyMap<Bytes, RetentionItem>): Bytes {
  const seen = new Set<Bytes>();
  let at = item;
  while (at.restores !== undefined && !seen.has(at.id)) {
    seen.add(at.id);
    const next = byId.get(at.restores);
    if (next === undefined) break;
    at = next;
  }
  return at.id;
}
