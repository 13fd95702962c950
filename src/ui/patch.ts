import { type Bytes, bufferFromBytes } from '../bytes.ts';
import type { Deflate } from '../ports/deflate.ts';
import type { Hash } from '../ports/hash.ts';
import type { Content } from '../rollback/content-access.ts';
import { diffLines, groupHunks, hunkHeader, splitLines, walkHunks } from '../rollback/edit-script.ts';
import type { FileDelta, FileSide } from '../rollback/file-delta.ts';
import { hexHash } from '../rollback/objects.ts';
import { isText } from '../rollback/text-facts.ts';
import { renderLiteral } from './binary-patch.ts';

/** Lines around a change, as git shows them. */
export const CONTEXT_LINES = 3;
/** Lines are joined to pieces of about this size before they are written. */
const PIECE_BYTES = 64 * 1024;
const NO_BLOB = '0'.repeat(40);

export interface PatchDeps {
  readonly hash: Pick<Hash, 'createSha1'>;
  readonly deflate: Deflate;
}

export type PatchDelta = Pick<FileDelta, 'name' | 'before' | 'after' | 'renamedFrom'>;

/**
 * A patch for one path in the form that `git apply` and `git apply -R` read, in pieces: neither content is ever in
 * memory as a whole.
 */
export function* renderPatch(delta: PatchDelta, deps: PatchDeps): Generator<Uint8Array> {
  const { name, before, after } = delta;
  if (before !== undefined && after !== undefined && before.mode.slice(0, 3) !== after.mode.slice(0, 3)) {
    // Git has no patch from a file to a link: the one goes and the other comes.
    yield* renderPatch({ ...delta, after: undefined }, deps);
    yield* renderPatch({ ...delta, before: undefined }, deps);
    return;
  }
  const from = delta.renamedFrom?.name ?? name;
  const lines = [`diff --git ${quotePath(`a/${from}`)} ${quotePath(`b/${name}`)}`, ...modeLines(before, after)];
  if (delta.renamedFrom !== undefined) {
    lines.push('similarity index 100%', `rename from ${quotePath(from)}`, `rename to ${quotePath(name)}`);
  }
  yield bufferFromBytes(`${lines.join('\n')}\n` as Bytes);
  if (before?.hash !== after?.hash) yield* renderContent(name, before, after, deps);
}

function modeLines(before: FileSide | undefined, after: FileSide | undefined): string[] {
  if (before === undefined) return after === undefined ? [] : [`new file mode ${after.mode}`];
  if (after === undefined) return [`deleted file mode ${before.mode}`];
  return before.mode === after.mode ? [] : [`old mode ${before.mode}`, `new mode ${after.mode}`];
}

const NOTHING: Content = { sizeBytes: 0, pieces: () => [] };

function* renderContent(
  name: Bytes,
  before: FileSide | undefined,
  after: FileSide | undefined,
  deps: PatchDeps,
): Generator<Uint8Array> {
  const [old, now] = [before?.content ?? NOTHING, after?.content ?? NOTHING];
  if (old.sizeBytes === 0 && now.sizeBytes === 0) return;
  if (!isText(old) || !isText(now)) {
    // Git wants the names of both blobs before it takes a binary patch.
    const [oldBlob, newBlob] = [blobName(before, deps.hash), blobName(after, deps.hash)];
    yield Buffer.from(`index ${oldBlob}..${newBlob}\nGIT binary patch\n`);
    yield* renderLiteral(now, deps.deflate);
    yield* renderLiteral(old, deps.deflate);
    return;
  }
  const oldName = before === undefined ? '/dev/null' : quotePath(`a/${name}`);
  const newName = after === undefined ? '/dev/null' : quotePath(`b/${name}`);
  yield bufferFromBytes(`--- ${ended(oldName)}\n+++ ${ended(newName)}\n` as Bytes);
  yield* renderHunks(old, now);
}

/** A name with a space ends in a tab, so that patch programs see where it ends. */
function ended(name: string): string {
  return name.includes(' ') ? `${name}\t` : name;
}

function* renderHunks(old: Content, now: Content): Generator<Uint8Array> {
  const hunks = groupHunks(diffLines(splitLines(old.pieces()), splitLines(now.pieces())), CONTEXT_LINES);
  let pending = '';
  for (const event of walkHunks(hunks, splitLines(old.pieces()), splitLines(now.pieces()))) {
    if ('hunk' in event) pending += `${hunkHeader(event.hunk)}\n`;
    else pending += `${event.mark}${event.text}${event.text.endsWith('\n') ? '' : '\n\\ No newline at end of file\n'}`;
    if (pending.length < PIECE_BYTES) continue;
    yield bufferFromBytes(pending as Bytes);
    pending = '';
  }
  if (pending !== '') yield bufferFromBytes(pending as Bytes);
}

/** The name that git has for a content. */
function blobName(side: FileSide | undefined, hash: Pick<Hash, 'createSha1'>): string {
  if (side === undefined) return NO_BLOB;
  const sha1 = hash.createSha1();
  sha1.update(Buffer.from(`blob ${side.content.sizeBytes}\0`));
  for (const piece of side.content.pieces()) sha1.update(piece);
  return hexHash(sha1.digest());
}

/**
 * Quotes a path as git does when it holds a quote, a backslash, a control character or a byte above ASCII; also where a space comes
 * before a slash: from `diff --git a/ d/f b/ d/f` alone, which is all that an empty file has, git apply does not find the names.
 */
export function quotePath(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the bytes that git quotes
  if (!/[\x00-\x1f"\\\x7f-\xff]| \//.test(path)) return path;
  const named: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the bytes that git quotes
  const quoted = path.replace(
    /[\x00-\x1f"\\\x7f-\xff]/g,
    (unit) => named[unit] ?? `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${quoted}"`;
}
