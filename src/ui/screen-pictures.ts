import type { ScreenDocument } from '../terminal/screen-document.ts';
import type { StyledRun } from '../terminal/styled-lines.ts';
import { parseSgr, type TextStyle } from './sgr-style.ts';

/** Of a dark terminal. */
const FOREGROUND = '#d0d0d0';
const BACKGROUND = '#101010';
const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/** Pixels of a picture. */
const CELL = { width: 8.4, height: 17 };
const FONT_SIZE = 14;
const BASELINE = 13;
const MARGIN = 12;
/** Addresses that a page may lead to; a program can write any. */
const LINK_REGEXP = /^(?:https?|mailto|ftp):/i;

/** A page that shows the screen, complete in itself. */
export function screenHtml(screen: ScreenDocument): string {
  const lines = screen.lines.map(({ runs }) => runs.map(htmlRun).join('')).join('\n');
  const title = screen.title === '' ? 'nono' : screen.title;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeText(title)}</title></head>
<body style="margin:0;background:${BACKGROUND}">
<pre style="margin:0;padding:${MARGIN}px;color:${FOREGROUND};font:${FONT_SIZE}px/${CELL.height}px ${FONT}">${lines}</pre>
</body></html>
`;
}

/** A picture of the screen. Every run is set to its own columns, whatever font there is. */
export function screenSvg(screen: ScreenDocument): string {
  const width = round(screen.columns * CELL.width + 2 * MARGIN);
  const height = screen.rows * CELL.height + 2 * MARGIN;
  const parts: string[] = [];
  screen.lines.forEach(({ runs }, row) => {
    let column = 0;
    for (const run of runs) {
      parts.push(svgRun(run, { x: round(MARGIN + column * CELL.width), y: MARGIN + row * CELL.height }));
      column += run.columns;
    }
  });
  const { cursor } = screen;
  const place = { x: round(MARGIN + cursor.column * CELL.width), y: MARGIN + cursor.row * CELL.height };
  if (cursor.visible) parts.push(box(place, CELL.width, FOREGROUND, ' opacity="0.6"'));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${escapeText(screen.title === '' ? 'nono' : screen.title)}</title>
<rect width="100%" height="100%" rx="6" fill="${BACKGROUND}"/>
<g font-family="${escapeText(FONT)}" font-size="${FONT_SIZE}" xml:space="preserve">
${parts.filter((part) => part !== '').join('\n')}
</g></svg>
`;
}

function htmlRun({ text, style, link }: StyledRun): string {
  const css = cssOf(parseSgr(style));
  const shown = css === '' ? escapeText(text) : `<span style="${css}">${escapeText(text)}</span>`;
  return LINK_REGEXP.test(link) ? `<a style="color:inherit" href="${escapeText(link)}">${shown}</a>` : shown;
}

function svgRun({ text, columns, style }: StyledRun, place: Place): string {
  const look = parseSgr(style);
  const { foreground, background } = coloursOf(look);
  const width = round(columns * CELL.width);
  const back = background === BACKGROUND ? '' : box(place, width, background);
  if (text.trim() === '' && look.underline === undefined) return back;
  const css = escapeText(cssOf({ ...look, isInverse: false }, ['color', 'background']));
  const attributes = `x="${place.x}" y="${place.y + BASELINE}" fill="${foreground}" textLength="${width}"${css === '' ? '' : ` style="${css}"`}`;
  return `${back}<text ${attributes}>${escapeText(text)}</text>`;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function box({ x, y }: Place, width: number, colour: string, more = ''): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${CELL.height}" fill="${colour}"${more}/>`;
}

function coloursOf({ foreground = FOREGROUND, background = BACKGROUND, isInverse, isHidden }: TextStyle) {
  const [front, back] = isInverse === true ? [background, foreground] : [foreground, background];
  return { foreground: isHidden === true ? back : front, background: back };
}

function cssOf(look: TextStyle, without: readonly string[] = []): string {
  const { foreground, background } = coloursOf(look);
  const lines = [
    ...(look.underline === undefined ? [] : ['underline']),
    ...(look.isStruck === true ? ['line-through'] : []),
    ...(look.isOverlined === true ? ['overline'] : []),
  ];
  const properties: readonly (readonly [name: string, value: string | undefined])[] = [
    ['color', foreground === FOREGROUND ? undefined : foreground],
    ['background', background === BACKGROUND ? undefined : background],
    ['font-weight', look.isBold === true ? 'bold' : undefined],
    ['font-style', look.isItalic === true ? 'italic' : undefined],
    ['opacity', look.isDim === true ? '0.6' : undefined],
    [
      'text-decoration',
      lines.length === 0 ? undefined : [...lines, look.underline, look.underlineColour].filter(Boolean).join(' '),
    ],
  ];
  return properties
    .filter(([name, value]) => value !== undefined && !without.includes(name))
    .map(([name, value]) => `${name}:${value}`)
    .join(';');
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
