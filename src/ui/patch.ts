import { structuredPatch } from 'diff';
import type { Bytes } from '../bytes.ts';

/** One side of a change to a file or link: what git calls its mode, and its bytes. */
export interface PatchSide {
  readonly mode: '100644' | '100755' | '120000';
  readonly content: Bytes;
}

/** Lines around a change, as git shows them. */
const CONTEXT_LINES = 3;
/** A larger difference is written as everything removed and everything added, which is as valid. */
const EDITS_MAXIMUM = 2000;
/** Git looks for a NUL in so many bytes to call a file binary. */
const BINARY_PROBE_BYTES = 8000;

/**
 * A patch for one path in the form that `git apply` reads, as bytes.
 *
 * @param name The path below `a/` and `b/`.
 */
export function renderPatch(name: Bytes, before: PatchSide | undefined, after: PatchSide | undefined): Bytes {
  if (before !== undefined && after !== undefined && before.mode.slice(0, 3) !== after.mode.slice(0, 3)) {
    // Git has no patch from a file to a link: the one goes and the other comes.
    return `${renderPatch(name, before, undefined)}${renderPatch(name, undefined, after)}` as Bytes;
  }
  const lines = [`diff --git ${quotePath(`a/${name}`)} ${quotePath(`b/${name}`)}`];
  if (before === undefined && after !== undefined) lines.push(`new file mode ${after.mode}`);
  if (before !== undefined && after === undefined) lines.push(`deleted file mode ${before.mode}`);
  if (before !== undefined && after !== undefined && before.mode !== after.mode) {
    lines.push(`old mode ${before.mode}`, `new mode ${after.mode}`);
  }
  lines.push(...renderContent(name, before, after));
  return `${lines.join('\n')}\n` as Bytes;
}

function renderContent(name: Bytes, before: PatchSide | undefined, after: PatchSide | undefined): string[] {
  const [old, now] = [before?.content ?? '', after?.content ?? ''];
  if (old === now) return [];
  const oldName = before === undefined ? '/dev/null' : quotePath(`a/${name}`);
  const newName = after === undefined ? '/dev/null' : quotePath(`b/${name}`);
  if (isBinary(old) || isBinary(now)) return [`Binary files ${oldName} and ${newName} differ`];
  // A name with a space ends in a tab, so that patch programs see where it ends.
  const mark = (path: string) => (path.includes(' ') ? `${path}\t` : path);
  return [`--- ${mark(oldName)}`, `+++ ${mark(newName)}`, ...renderHunks(old, now)];
}

function renderHunks(old: string, now: string): string[] {
  const options = { context: CONTEXT_LINES, maxEditLength: EDITS_MAXIMUM };
  const patch = structuredPatch('', '', old, now, undefined, undefined, options);
  if (patch === undefined) return renderReplacement(old, now);
  return patch.hunks.flatMap((hunk) => [
    `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`,
    ...hunk.lines,
  ]);
}

function renderReplacement(old: string, now: string): string[] {
  const [oldLines, newLines] = [splitLines(old), splitLines(now)];
  return [
    `@@ -${range(oldLines.length === 0 ? 0 : 1, oldLines.length)} +${range(newLines.length === 0 ? 0 : 1, newLines.length)} @@`,
    ...marked('-', oldLines, old),
    ...marked('+', newLines, now),
  ];
}

function marked(mark: string, lines: readonly string[], text: string): string[] {
  const shown = lines.map((line) => `${mark}${line}`);
  return text === '' || text.endsWith('\n') ? shown : [...shown, '\\ No newline at end of file'];
}

function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Of nothing, git gives the line before it. */
function range(start: number, count: number): string {
  if (count === 0) return `${Math.max(0, start - 1)},0`;
  return count === 1 ? `${start}` : `${start},${count}`;
}

export function isBinary(content: string): boolean {
  const at = content.indexOf('\0');
  return at >= 0 && at < BINARY_PROBE_BYTES;
}

/** Quotes a path as git does when it holds a quote, a backslash, a control character or a byte above ASCII. */
function quotePath(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the bytes that git quotes
  if (!/[\x00-\x1f"\\\x7f-\xff]/.test(path)) return path;
  const named: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the bytes that git quotes
  const quoted = path.replace(
    /[\x00-\x1f"\\\x7f-\xff]/g,
    (unit) => named[unit] ?? `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${quoted}"`;
}
