import { type Hunk, type HunkEvent, hunkHeader } from '../rollback/edit-script.ts';
import { escapeHtml } from './html-text.ts';
import { comparePair, type LinePair, pairLines } from './side-by-side.ts';
import type { Span } from './word-diff.ts';

/** More rows of one file a browser does not draw in a moment. */
const ROWS_MAXIMUM = 5000;

/** The lines of a file, old and new beside each other, as a table. */
export function* renderHtmlDiff(events: Iterable<HunkEvent>): Generator<string> {
  // The first row may be a hunk's, which says nothing of the columns.
  yield '<table><colgroup><col class="n"><col><col class="n"><col></colgroup>\n';
  let rows = 0;
  for (const item of pairLines(events)) {
    if (rows === ROWS_MAXIMUM) {
      yield '<tr class="hunk"><td colspan="4">There is more: see the patch</td></tr>\n';
      break;
    }
    rows += 1;
    yield 'hunk' in item ? renderHunkRow(item.hunk) : renderRow(item);
  }
  yield '</table>\n';
}

function renderHunkRow(hunk: Hunk): string {
  return `<tr class="hunk"><td colspan="4">${hunkHeader(hunk)}</td></tr>\n`;
}

function renderRow(pair: LinePair): string {
  const { left, right } = pair;
  const { before, after } = comparePair(pair);
  if (left === right) {
    const text = renderSpans(before);
    return `<tr class="same"><td class="n">${left?.oldNumber ?? ''}</td><td>${text}</td><td class="n">${right?.newNumber ?? ''}</td><td>${text}</td></tr>\n`;
  }
  const none = '<td class="n none"></td><td class="none"></td>';
  const old = left === undefined ? none : `<td class="n">${left.oldNumber}</td><td class="r">${renderSpans(before)}</td>`;
  const now = right === undefined ? none : `<td class="n">${right.newNumber}</td><td class="a">${renderSpans(after)}</td>`;
  return `<tr>${old}${now}</tr>\n`;
}

function renderSpans(spans: readonly Span[]): string {
  return spans.map(({ text, isMarked }) => (isMarked ? `<mark>${escapeHtml(text)}</mark>` : escapeHtml(text))).join('');
}
