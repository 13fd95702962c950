import type { Bytes } from '../bytes.ts';
import { type Hunk, type HunkEvent, type HunkLine, hunkHeader } from '../rollback/edit-script.ts';
import { displayLine } from './display-line.ts';
import type { Palette } from './palette.ts';
import { displayWidth } from './width.ts';
import { diffWords, plain, type Span, wrapSpans } from './word-diff.ts';

interface Layout {
  readonly palette: Palette;
  readonly columns: number;
}

/** Between the two texts: whether the lines are the same, changed, or only on one side. */
type Gutter = ' ' | '|' | '<' | '>';

const NUMBER_COLUMNS = 4;
const GUTTER_COLUMNS = 3;
const TEXT_MINIMUM = 8;
/** A longer run of changed lines is written in parts, so that it is never in memory as a whole. */
const BLOCK_LINES_MAXIMUM = 2000;

/** Two lines that stand beside each other; the same twice where nothing changed. */
export interface LinePair {
  readonly left: HunkLine | undefined;
  readonly right: HunkLine | undefined;
}

/** Puts removed lines beside the added ones that follow them. */
export function* pairLines(events: Iterable<HunkEvent>): Generator<{ readonly hunk: Hunk } | LinePair> {
  const removed: HunkLine[] = [];
  const added: HunkLine[] = [];
  function* flush(): Generator<LinePair> {
    for (let at = 0; at < Math.max(removed.length, added.length); at++) yield { left: removed[at], right: added[at] };
    removed.length = 0;
    added.length = 0;
  }
  for (const event of events) {
    if (!('hunk' in event) && event.mark !== ' ') {
      (event.mark === '-' ? removed : added).push(event);
      if (removed.length + added.length >= BLOCK_LINES_MAXIMUM) yield* flush();
      continue;
    }
    yield* flush();
    yield 'hunk' in event ? event : { left: event, right: event };
  }
  yield* flush();
}

/** Both lines as they are shown, with the words marked that changed. */
export function comparePair({ left, right }: LinePair): { readonly before: readonly Span[]; readonly after: readonly Span[] } {
  const [before, after] = [displayOf(left), displayOf(right)];
  const isChanged = left !== right && left !== undefined && right !== undefined;
  return isChanged ? diffWords(before, after) : { before: [plain(before)], after: [plain(after)] };
}

/** The old text on the left and the new one on the right, long lines wrapped, with the words marked that changed. */
export function* renderSideBySide(events: Iterable<HunkEvent>, layout: Layout): Generator<string> {
  for (const item of pairLines(events)) {
    if ('hunk' in item) yield `${layout.palette.changed(hunkHeader(item.hunk))}\n`;
    else yield* renderPair(item, layout);
  }
}

function renderPair(pair: LinePair, layout: Layout): Generator<string> {
  const { left, right } = pair;
  const words = comparePair(pair);
  const gutter: Gutter = left === right ? ' ' : left === undefined ? '>' : right === undefined ? '<' : '|';
  const sides = {
    left: { number: left?.oldNumber, spans: left === undefined ? [] : words.before },
    right: { number: right?.newNumber, spans: right === undefined ? [] : words.after },
  };
  return renderRows(sides, gutter, layout);
}

function displayOf(line: HunkLine | undefined): string {
  return displayLine(line?.text ?? ('' as Bytes));
}

interface Side {
  readonly number: number | undefined;
  readonly spans: readonly Span[];
}

function* renderRows(
  { left, right }: { readonly left: Side; readonly right: Side },
  gutter: Gutter,
  { palette, columns }: Layout,
): Generator<string> {
  const half = Math.floor((columns - GUTTER_COLUMNS) / 2);
  const textColumns = Math.max(TEXT_MINIMUM, half - NUMBER_COLUMNS - 1);
  // Without colour the brackets around a word take columns too.
  const wrap = (spans: readonly Span[], isOld: boolean) =>
    wrapSpans(palette.isColour ? spans : bracket(spans, isOld), textColumns);
  const [leftRows, rightRows] = [wrap(left.spans, true), wrap(right.spans, false)];
  const draw = (rows: readonly Span[][], at: number, { number }: Side, isOld: boolean) => {
    const spans = rows[at] ?? [];
    const shownNumber = at === 0 && number !== undefined ? String(number).slice(-NUMBER_COLUMNS) : '';
    const text = spans.map((span) => colourSpan(span, gutter, isOld, palette)).join('');
    const blanks = ' '.repeat(Math.max(0, textColumns - displayWidth(spans.map((span) => span.text).join(''))));
    return `${palette.faint(shownNumber.padStart(NUMBER_COLUMNS))} ${text}${blanks}`;
  };
  for (let at = 0; at < Math.max(leftRows.length, rightRows.length); at++) {
    yield `${draw(leftRows, at, left, true)} ${gutter} ${draw(rightRows, at, right, false)}`.trimEnd().concat('\n');
  }
}

function bracket(spans: readonly Span[], isOld: boolean): Span[] {
  const [open, close] = isOld ? ['[-', '-]'] : ['{+', '+}'];
  return spans.map(({ text, isMarked }) => plain(isMarked ? `${open}${text}${close}` : text));
}

function colourSpan({ text, isMarked }: Span, gutter: Gutter, isOld: boolean, palette: Palette): string {
  if (gutter === ' ') return text;
  if (isMarked && palette.isColour) return isOld ? palette.removedWord(text) : palette.addedWord(text);
  return isOld ? palette.removed(text) : palette.added(text);
}
