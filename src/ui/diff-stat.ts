import type { DeltaStat } from '../rollback/delta-stat.ts';
import { type ChangeMark, colourMark } from './change-lines.ts';
import type { Palette } from './palette.ts';
import { formatSize } from './size.ts';
import { displayWidth, fitStart, padTo } from './width.ts';

/** One line of a summary; its texts are safe to show. */
export interface StatRow {
  readonly mark: ChangeMark;
  readonly name: string;
  /** What else there is to say: another mode, where it was moved from. */
  readonly detail: string;
  readonly stat: DeltaStat | undefined;
}

export interface StatLayout {
  readonly palette: Palette;
  readonly columns: number;
  /** False where the output is no terminal: names are whole there. */
  readonly cutsNames: boolean;
}

const PREFIX_COLUMNS = 4;
const SEPARATOR = ' | ';
/** The graph is never narrower than this when there is something to draw, nor wider than that. */
const GRAPH_MINIMUM = 6;
const GRAPH_MAXIMUM = 40;
const NAME_MINIMUM = 12;

/** Changed paths with the lines that each has gained and lost, drawn as `git diff --stat` does. */
export function renderStat(rows: readonly StatRow[], layout: StatLayout): string[] {
  const totals = rows.map(({ stat }) => (stat?.kind === 'lines' ? stat.added + stat.removed : 0));
  const most = Math.max(0, ...totals);
  const countColumns = String(most).length;
  const counted = rows.filter(({ stat }) => stat !== undefined);
  const longest = Math.max(0, ...counted.map(({ name, detail }) => displayWidth(name + detail)));
  const room = layout.columns - PREFIX_COLUMNS - SEPARATOR.length;
  const graphColumns = Math.min(most, GRAPH_MAXIMUM, Math.max(GRAPH_MINIMUM, room - countColumns - 1 - longest));
  const scale = { most, graphColumns, countColumns, palette: layout.palette };
  const sizeColumns = rows.map(({ stat }) => (stat === undefined || stat.kind === 'lines' ? 0 : displayWidth(sizesText(stat))));
  const right = Math.max(countColumns + 1 + graphColumns, ...sizeColumns);
  const nameColumns = layout.cutsNames ? Math.min(longest, Math.max(NAME_MINIMUM, room - right)) : longest;
  return rows.map(({ mark, name, detail, stat }) => {
    const start = `  ${colourMark(mark, layout.palette)} `;
    if (stat === undefined) return `${start}${fitName(name, detail, layout)}`.trimEnd();
    const shown = layout.cutsNames ? fitStart(`${name}${detail}`, nameColumns) : `${name}${detail}`;
    return `${start}${padTo(shown, nameColumns)}${SEPARATOR}${drawStat(stat, scale)}`;
  });
}

function fitName(name: string, detail: string, { columns, cutsNames }: StatLayout): string {
  if (!cutsNames) return `${name}${detail}`;
  return `${fitStart(name, Math.max(NAME_MINIMUM, columns - PREFIX_COLUMNS - displayWidth(detail)))}${detail}`;
}

interface Scale {
  readonly most: number;
  readonly graphColumns: number;
  readonly countColumns: number;
  readonly palette: Palette;
}

function drawStat(stat: DeltaStat, { most, graphColumns, countColumns, palette }: Scale): string {
  if (stat.kind !== 'lines') return sizesText(stat);
  const { added, removed } = stat;
  const count = String(added + removed).padStart(countColumns);
  if (most <= graphColumns) return withGraph(count, added, removed, palette);
  const total = scaleTo(added + removed, graphColumns, most);
  // As git does: what there is of each is at least one column, and the sum keeps its length.
  let [plus, minus] = [scaleTo(added, graphColumns, most), scaleTo(removed, graphColumns, most)];
  if (added > 0 && removed > 0) {
    if (added < removed) minus = Math.max(1, total - plus);
    else plus = Math.max(1, total - minus);
  }
  return withGraph(count, plus, minus, palette);
}

function withGraph(count: string, added: number, removed: number, palette: Palette): string {
  const plus = added === 0 ? '' : palette.added('+'.repeat(added));
  const minus = removed === 0 ? '' : palette.removed('-'.repeat(removed));
  return `${count} ${plus}${minus}`.trimEnd();
}

function scaleTo(count: number, columns: number, most: number): number {
  return count === 0 ? 0 : 1 + Math.floor((count * (columns - 1)) / most);
}

function sizesText({ kind, before, after }: Exclude<DeltaStat, { kind: 'lines' }>): string {
  if (kind === 'damaged') return 'stored content damaged';
  const word = kind === 'binary' ? 'Bin' : 'Large';
  return `${word} ${formatSize(before)} → ${formatSize(after)}`;
}

/** "3 lines added, 1 removed", '' without any. */
export function linesText(stats: readonly (DeltaStat | undefined)[], palette: Palette): string {
  let [added, removed] = [0, 0];
  for (const stat of stats) {
    if (stat?.kind !== 'lines') continue;
    added += stat.added;
    removed += stat.removed;
  }
  const parts: string[] = [];
  if (added > 0) parts.push(`${added} ${added === 1 ? 'insertion' : 'insertions'}(${palette.added('+')})`);
  if (removed > 0) parts.push(`${removed} ${removed === 1 ? 'deletion' : 'deletions'}(${palette.removed('-')})`);
  return parts.join(', ');
}
