import { type Bytes, displayBytes } from '../bytes.ts';
import { type Content, readHead } from '../rollback/content-access.ts';
import { diffLines, groupHunks, type HunkEvent, hunkHeader, splitLines, walkHunks } from '../rollback/edit-script.ts';
import type { FileDelta, FileSide } from '../rollback/file-delta.ts';
import { isText } from '../rollback/text-facts.ts';
import { displayLine } from './display-line.ts';
import type { Palette } from './palette.ts';
import { renderSideBySide } from './side-by-side.ts';
import { formatSize } from './size.ts';
import { displayWidth, fitStart } from './width.ts';

export type DiffView = 'unified' | 'side-by-side' | 'full';

export interface DiffLayout {
  readonly palette: Palette;
  /** Of the terminal, or what stands for them where there is none. */
  readonly columns: number;
}

/** Of a larger file the beginning is shown. */
const WHOLE_BYTES_MAXIMUM = 16 * 1024 * 1024;
const HEAD_BYTES = 256 * 1024;
const CONTEXT_LINES = 3;

/** A file compared as it is shown. The events read the contents while they are walked. */
export type ScreenComparison =
  | { readonly kind: 'same' }
  | { readonly kind: 'binary'; readonly sizes: string }
  | { readonly kind: 'lines'; readonly events: Iterable<HunkEvent>; readonly note: string | undefined };

/** Compares the lines of a file, of a huge one those at its beginning. @throws {DamageError} */
export function compareForScreen({ before, after }: FileDelta, view: DiffView): ScreenComparison {
  if (before?.hash === after?.hash && isSameKind(before, after)) return { kind: 'same' };
  const [old, now] = [shownContent(before), shownContent(after)];
  if (!isText(old.content) || !isText(now.content)) {
    return { kind: 'binary', sizes: `${sizeText(before)} → ${sizeText(after)}` };
  }
  const context = view === 'full' ? Number.POSITIVE_INFINITY : CONTEXT_LINES;
  const hunks = groupHunks(diffLines(linesOf(old.content), linesOf(now.content)), context);
  const note =
    old.isHead || now.isHead
      ? `Only the first ${formatSize(HEAD_BYTES)} of ${formatSize(sizeOf(before))} → ${formatSize(sizeOf(after))} are compared here; --diff > FILE has all of it`
      : undefined;
  return { kind: 'lines', events: walkHunks(hunks, linesOf(old.content), linesOf(now.content)), note };
}

/** What happened to one file, for people: nothing in it can act on a terminal. Each piece is some whole lines. */
export function* renderScreenDelta(delta: FileDelta, view: DiffView, layout: DiffLayout): Generator<string> {
  yield `${titleOf(delta, layout)}\n`;
  const compared = compareForScreen(delta, view);
  if (compared.kind === 'same') return;
  if (compared.kind === 'binary') {
    yield `  Binary: ${compared.sizes}\n`;
    return;
  }
  if (view === 'side-by-side') yield* renderSideBySide(compared.events, layout);
  else if (view === 'full') yield* renderFull(compared.events, layout);
  else yield* renderUnified(compared.events, layout);
  if (compared.note !== undefined) yield `  ${layout.palette.faint(compared.note)}\n`;
}

function titleOf(delta: FileDelta, { palette, columns }: DiffLayout): string {
  const facts = deltaFacts(delta);
  const note = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  const room = Math.max(12, columns - displayWidth(note));
  return `${palette.strong(fitStart(displayBytes(delta.name), room))}${palette.faint(note)}`;
}

/** What else than its content has changed of a file, in words that are safe to show. */
export function deltaFacts({ before, after, renamedFrom }: FileDelta): string[] {
  const facts: string[] = [];
  if (renamedFrom !== undefined) facts.push(`moved from ${displayBytes(renamedFrom.name)}`);
  else if (before === undefined) facts.push('created');
  else if (after === undefined) facts.push('deleted');
  else if (!isSameKind(before, after)) facts.push(after.mode === '120000' ? 'now a link' : 'no longer a link');
  if (before !== undefined && after !== undefined && before.permissions !== after.permissions && after.mode !== '120000') {
    facts.push(`mode ${octal(before)} → ${octal(after)}`);
  }
  return facts;
}

function octal({ permissions }: FileSide): string {
  return permissions.toString(8).padStart(4, '0');
}

function isSameKind(before: FileSide | undefined, after: FileSide | undefined): boolean {
  return before?.mode.slice(0, 3) === after?.mode.slice(0, 3);
}

function sizeOf(side: FileSide | undefined): number {
  return side?.content.sizeBytes ?? 0;
}

function sizeText(side: FileSide | undefined): string {
  return side === undefined ? 'nothing' : formatSize(side.content.sizeBytes);
}

interface ShownContent {
  readonly content: Content;
  readonly isHead: boolean;
}

function shownContent(side: FileSide | undefined): ShownContent {
  if (side === undefined) return { content: { sizeBytes: 0, pieces: () => [] }, isHead: false };
  if (side.content.sizeBytes <= WHOLE_BYTES_MAXIMUM) return { content: side.content, isHead: false };
  const head = readHead(side.content, HEAD_BYTES);
  // A line that was cut is no line of the file.
  const text = head.slice(0, head.lastIndexOf('\n') + 1) || head;
  const data = Buffer.from(text, 'latin1');
  return { content: { sizeBytes: data.length, pieces: () => [data] }, isHead: true };
}

function linesOf(content: Content): Iterable<Bytes> {
  return splitLines(content.pieces());
}

function* renderUnified(events: Iterable<HunkEvent>, { palette }: DiffLayout): Generator<string> {
  for (const event of events) {
    if ('hunk' in event) {
      yield `${palette.changed(hunkHeader(event.hunk))}\n`;
      continue;
    }
    const text = `${event.mark}${displayLine(event.text)}`;
    yield `${colourLine(event.mark, text, palette)}\n${endNote(event.text, palette)}`;
  }
}

/** All of a file, each line with its number in the state that is shown; removed ones have none. */
function* renderFull(events: Iterable<HunkEvent>, { palette }: DiffLayout): Generator<string> {
  let numberColumns = 4;
  for (const event of events) {
    if ('hunk' in event) {
      numberColumns = Math.max(4, String(event.hunk.newLines).length);
      continue;
    }
    const number = event.mark === '-' ? '' : String(event.newNumber);
    const text = `${event.mark} ${displayLine(event.text)}`;
    yield `${palette.faint(number.padStart(numberColumns))} ${colourLine(event.mark, text, palette)}\n`;
  }
}

function colourLine(mark: ' ' | '-' | '+', text: string, palette: Palette): string {
  if (mark === '+') return palette.added(text);
  return mark === '-' ? palette.removed(text) : text;
}

function endNote(text: Bytes, palette: Palette): string {
  return text.endsWith('\n') ? '' : `${palette.faint('\\ No newline at end of file')}\n`;
}
