import type { Bytes } from '../bytes.ts';
import type { Stat } from '../ports/files.ts';

/** Why a snapshot does not hold an entry. The numbers are on disk (FORMAT.md): add, never reuse. */
export const SKIP_REASONS = {
  excluded: 1,
  fifo: 2,
  socket: 3,
  device: 4,
  mount: 5,
  unreadable: 6,
  changing: 7,
  'file-limit': 8,
  'session-limit': 9,
  'entry-limit': 10,
  /** In the snapshots of a restore, which hold only what it touches: a neighbour of that. */
  untouched: 11,
} as const;
/** Why a snapshot does not hold what is there. */
export type SkipReason = keyof typeof SKIP_REASONS;

/** What people read for a reason. */
export const SKIP_TEXTS: Readonly<Record<SkipReason, string>> = {
  excluded: 'excluded by a rule',
  fifo: 'a FIFO',
  socket: 'a socket',
  device: 'a device',
  mount: 'another file system is mounted there',
  unreadable: 'not readable',
  changing: 'changed while it was read',
  'file-limit': 'larger than max_file_size',
  'session-limit': 'past max_session_size',
  'entry-limit': 'past max_entries',
  untouched: 'not touched by the restore',
};

export type EntryKind = 'file' | 'directory' | 'symlink' | 'skipped';

/** Where a node is: the snapshot whose nodes file holds it, and the byte offset in that file. */
export interface NodeReference {
  readonly snapshot: number;
  readonly offset: number;
}

/** One line of a directory listing in a snapshot. */
export interface Entry {
  /** One component; in the node of the roots an absolute path. */
  readonly name: Bytes;
  readonly kind: EntryKind;
  /** Only for `skipped`. */
  readonly reason: SkipReason | undefined;
  /** 0 to 0o7777. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  readonly inode: bigint;
  readonly device: number;
  readonly links: number;
  /** 32 bytes: the content's SHA-256, the child node's Merkle hash, the SHA-256 of the link target; zeros for skipped. */
  readonly hash: Bytes;
  /** Of a symlink, else ''. */
  readonly target: Bytes;
  /** Of a directory. */
  readonly child: NodeReference | undefined;
}

/** Of a content that is not known; no content has it. */
export const NO_HASH = '\0'.repeat(32) as Bytes;

/** The entry that stands for something that the snapshot does not hold. */
export function skippedEntry(name: Bytes, reason: SkipReason, stat?: Stat): Entry {
  return { ...metadataOf(stat), name, kind: 'skipped', reason, hash: NO_HASH, target: '' as Bytes, child: undefined };
}

/** The fields of an entry that come from lstat; zeros where there is none. */
export function metadataOf(stat: Omit<Stat, 'kind' | 'blocks' | 'uid' | 'isMountPoint'> | undefined) {
  return {
    mode: stat?.mode ?? 0,
    sizeBytes: stat?.sizeBytes ?? 0,
    mtimeSeconds: stat?.mtimeSeconds ?? 0,
    mtimeNanoseconds: stat?.mtimeNanoseconds ?? 0,
    ctimeSeconds: stat?.ctimeSeconds ?? 0,
    ctimeNanoseconds: stat?.ctimeNanoseconds ?? 0,
    inode: stat?.inode ?? 0n,
    device: stat?.device ?? 0,
    links: stat?.links ?? 0,
  };
}

/** True when both stand for one state of one inode: nothing was written and nothing was swapped. */
export function isSameInodeState(a: Omit<Stat, 'kind' | 'blocks' | 'uid' | 'isMountPoint'>, b: typeof a): boolean {
  return (
    a.ctimeNanoseconds === b.ctimeNanoseconds &&
    a.ctimeSeconds === b.ctimeSeconds &&
    a.mtimeNanoseconds === b.mtimeNanoseconds &&
    a.mtimeSeconds === b.mtimeSeconds &&
    a.sizeBytes === b.sizeBytes &&
    a.inode === b.inode &&
    a.device === b.device
  );
}

/** True when kind, mode and content are equal: what the Merkle hash commits to. */
export function isSameContent(a: Entry, b: Entry): boolean {
  return a.kind === b.kind && a.mode === b.mode && a.hash === b.hash;
}

/**
 * A file that changed this close to a moment may change again after it without a visible change of its
 * times: the kernel stamps by a clock of up to 10 ms.
 */
export const RACY_WINDOW_MS = 50;
/**
 * Where times do not tell all that is written (Directory.datesEachWrite()) a file of so many bytes is read for each snapshot. What programs write to by a
 * mapping are data, which are large as a rule; to read all the small files too would take several times as long as all the rest.
 */
export const MAPPED_BYTES = 128 * 1024;
/** File systems with whole seconds in their times. */
export const RACY_WINDOW_COARSE_MS = 2000;

/**
 * A page that is written by a mapping, and again before it was written out, gives its file no time the second time: the kernel does that by itself after half a
 * minute, with settings that save power after more than one (vm.dirty_expire_centisecs, vm.dirty_writeback_centisecs).
 */
export const WRITE_OUT_MS = 120_000;

/** True when the last change lies so clearly before `momentMs` that each later one shows in the ctime. */
export function isSettled(
  { ctimeSeconds, ctimeNanoseconds }: Pick<Stat, 'ctimeSeconds' | 'ctimeNanoseconds'>,
  momentMs: number,
  windowMs = RACY_WINDOW_MS,
): boolean {
  const window = ctimeNanoseconds === 0 ? Math.max(windowMs, RACY_WINDOW_COARSE_MS) : windowMs;
  return momentMs - (ctimeSeconds * 1000 + ctimeNanoseconds / 1_000_000) > window;
}
