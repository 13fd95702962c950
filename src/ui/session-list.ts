import type { Palette } from './palette.ts';
import { displayWidth, fitEnd, fitStart, padTo } from './width.ts';

/** One rollback session as `list` shows it; all texts are safe to show and without colour. */
export interface SessionRow {
  readonly id: string;
  readonly age: string;
  /** The command's name, or what the session is instead. */
  readonly command: string;
  /** What changed, or what is to be known of a session that has no counts yet. */
  readonly news: readonly NewsPart[];
}

export interface NewsPart {
  readonly text: string;
  readonly kind: 'added' | 'removed' | 'changed' | 'faint' | 'plain';
}

export interface ProjectRows {
  readonly name: string;
  /** All that belong to it, also those that `rows` leaves out. */
  readonly count: number;
  readonly rows: readonly SessionRow[];
}

interface Layout {
  readonly palette: Palette;
  /** Columns of the terminal; Infinity where the output is none. */
  readonly columns: number;
}

const INDENT = '  ';
const GAP = '  ';
/** A name of a command that is cut shorter says nothing. */
const COMMAND_MINIMUM = 8;

/** The lines of `nono rollback list`. */
export function renderSessionList(projects: readonly ProjectRows[], hasMore: boolean, layout: Layout): string {
  const total = projects.reduce((sum, { count }) => sum + count, 0);
  const lines = [`[nono] ${total} session(s)`];
  for (const project of projects) lines.push(...renderProject(project, layout));
  if (hasMore) lines.push('...');
  return `${lines.join('\n')}\n`;
}

function renderProject({ name, count, rows }: ProjectRows, { palette, columns }: Layout): string[] {
  const suffix = ` (${count} ${count === 1 ? 'session' : 'sessions'})`;
  const lines = [`${palette.strong(fitStart(name, columns - suffix.length))}${suffix}`];
  const widest = (pick: (row: SessionRow) => string) => Math.max(0, ...rows.map((row) => displayWidth(pick(row))));
  const [idWidth, ageWidth, commandWidth] = [widest(({ id }) => id), widest(({ age }) => age), widest((row) => row.command)];
  const newsWidth = widest(({ news }) => joinNews(news));
  const fixed = INDENT.length + idWidth + GAP.length + ageWidth + GAP.length + GAP.length + newsWidth;
  const room = Math.min(commandWidth, columns - fixed);
  const isOneLine = room >= Math.min(commandWidth, COMMAND_MINIMUM);
  for (const { id, age, command, news } of rows) {
    const when = `${INDENT}${padTo(id, idWidth)}${GAP}${palette.faint(padTo(age, isOneLine ? ageWidth : 0))}`;
    const shownNews = colourNews(news, palette);
    if (isOneLine) {
      lines.push(`${when}${GAP}${padTo(fitEnd(command, room), room)}${GAP}${shownNews}`.trimEnd());
      continue;
    }
    const below = `${INDENT}${INDENT}`;
    const isShort = below.length + displayWidth(command) + GAP.length + displayWidth(joinNews(news)) <= columns;
    lines.push(when.trimEnd());
    if (isShort) lines.push(`${below}${command}${GAP}${shownNews}`.trimEnd());
    else lines.push(`${below}${fitEnd(command, columns - below.length)}`, ...wrapNews(news, below, { palette, columns }));
  }
  if (count > rows.length) lines.push(`${INDENT}...`);
  return lines;
}

function joinNews(news: readonly NewsPart[]): string {
  return news.map(({ text }) => text).join(', ');
}

function colourNews(news: readonly NewsPart[], palette: Palette): string {
  return news.map((part) => colourPart(part, palette)).join(', ');
}

function colourPart({ text, kind }: NewsPart, palette: Palette): string {
  return kind === 'plain' ? text : palette[kind](text);
}

/** As many parts on a line as fit, at least one. */
function wrapNews(news: readonly NewsPart[], indent: string, { palette, columns }: Layout): string[] {
  const lines: NewsPart[][] = [];
  for (const part of news) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + displayWidth(joinNews([...last, part])) < columns) last.push(part);
    else lines.push([part]);
  }
  return lines.map((line, at) => `${indent}${colourNews(line, palette)}${at < lines.length - 1 ? ',' : ''}`);
}
