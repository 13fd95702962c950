import type { Bytes } from '../bytes.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Stat } from '../ports/files.ts';
import { nameIn } from '../ports/listing.ts';
import type { CaptureInput } from './capture-input.ts';
import type { ContentTask } from './content-reader.ts';
import type { Draft } from './drafts.ts';
import { type Entry, isSameInodeState, MAPPED_BYTES, metadataOf, NO_HASH, WRITE_OUT_MS } from './entry.ts';
import { hasHash, knownOf } from './known-contents.ts';
import { FIELD, KIND_CODES } from './node-codec.ts';
import { openTracked, readRootLink } from './open-root.ts';

const EMPTY = '' as Bytes;

/** A root that the command has replaced by a link. @returns undefined when that is gone by now. */
export function linkRoot({ files, hash }: Pick<CaptureInput, 'files' | 'hash'>, name: Bytes, stat: Stat): Entry | undefined {
  const target = readRootLink(files, name);
  if (target === undefined) return undefined;
  const digest = hash.sha256(Buffer.from(target, 'latin1'));
  return { ...metadataOf(stat), name, kind: 'symlink', mode: 0o777, reason: undefined, hash: digest, target, child: undefined };
}

/** A root that is a file. Its content is read by submitRootFiles(), unless it is the one of `before`. */
export function fileRoot(
  input: Pick<CaptureInput, 'files' | 'previous' | 'isForeign' | 'objectsDevice'>,
  name: Bytes,
  stat: Stat,
  before: Entry | undefined,
): Entry {
  const isKnown = before?.kind === 'file' && isSameInodeState(before, stat) && isDated(input, name, stat);
  const hash = isKnown && !isRacy(input, before, stat) ? before.hash : NO_HASH;
  return { ...metadataOf(stat), name, kind: 'file', reason: undefined, hash, target: EMPTY, child: undefined };
}

/** Whether times tell that the file has changed. */
function isDated({ files }: Pick<CaptureInput, 'files'>, path: Bytes, { sizeBytes }: Stat): boolean {
  if (sizeBytes < MAPPED_BYTES) return true;
  using parent = openTracked(files, parentPath(path));
  return parent?.datesEachWrite() ?? false;
}

/**
 * Whether what the previous snapshot has of a file with the same times cannot be believed. Between two sessions others may write to it by a mapping: where that
 * snapshot has not written out what they had written before, a change of a moment ago may have been followed by one without a time.
 */
export function isRacy(
  { previous, isForeign, objectsDevice }: Pick<CaptureInput, 'previous' | 'isForeign' | 'objectsDevice'>,
  entry: Pick<Entry, 'ctimeSeconds' | 'ctimeNanoseconds'>,
  { device }: Pick<Entry, 'device'>,
): boolean {
  if (previous === undefined) return true;
  if (!isForeign) return previous.isRacyWithin(entry);
  return previous.isRacy(entry, device === objectsDevice ? undefined : WRITE_OUT_MS);
}

/** The contents of roots that are files. */
export function submitRootFiles({ roots, reader, isForeign }: CaptureInput, draft: Draft): void {
  const { bytes } = draft;
  const taskAt = (position: number): ContentTask => {
    const name = nameIn(bytes, position);
    draft.expect();
    return { root: roots.findIndex(({ path }) => path === name), path: baseName(name), sink: draft, position };
  };
  if (isForeign) reader.takeOver(knownOf(draft, taskAt));
  for (let at = draft.firstEntryOffset; at < bytes.length; at = draft.offsetAfter(at)) {
    if (bytes[at + FIELD.kind] === KIND_CODES.file && !hasHash(bytes, at + FIELD.hash)) reader.submit(taskAt(at));
  }
}
