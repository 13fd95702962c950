import { CELL_WORDS, CODE_MASK, COMBINED, WIDTH_SHIFT } from './cell-layout.ts';
import type { TerminalModel } from './model.ts';
import { attributeParameters, HAS_EXTENDED } from './pen.ts';
import { isWideAt } from './row-writer.ts';
import type { XtermBuffer, XtermLine } from './xterm.ts';

/** Characters of one look, as the model has it: two words and what is beside them. */
export interface StyledRun {
  readonly text: string;
  /** Columns that it takes on the screen. */
  readonly columns: number;
  /** SGR parameters, '' for plain text. */
  readonly style: string;
  /** Address of OSC 8, '' for none. */
  readonly link: string;
}

/** A row as runs; what follows the last character or background is left out, unless the next row goes on with it. */
export function styledRow(model: TerminalModel, line: XtermLine, isContinued = false): readonly StyledRun[] {
  const runs: { text: string; columns: number; style: string; link: string }[] = [];
  let used = 0;
  for (let column = 0; column < line.length; column++) {
    const content = line._data[column * CELL_WORDS] ?? 0;
    const width = content >>> WIDTH_SHIFT;
    if (width === 0 && (content & CODE_MASK) === 0 && column > 0) continue;
    const { style, link } = lookOf(model, line, column);
    // Written over in the last column without wrapping, a wide character keeps its first half in the model: terminals show nothing of it.
    const isCut = width === 2 && !isWideAt(line, column);
    const text = isCut ? ' ' : textOf(line, column, content);
    const columns = isCut ? 1 : width || 1;
    const last = runs.at(-1);
    if (last !== undefined && last.style === style && last.link === link) {
      last.text += text;
      last.columns += columns;
    } else {
      runs.push({ text, columns, style, link });
    }
    if ((content & (COMBINED | CODE_MASK)) !== 0 || style !== '') used = runs.length;
  }
  if (isContinued) return runs;
  const kept = runs.slice(0, used);
  const last = kept.at(-1);
  if (last !== undefined && last.style === '') {
    const text = last.text.trimEnd();
    last.columns -= last.text.length - text.length;
    last.text = text;
  }
  return kept;
}

/** Rows from `from` to before `to` as lines: what the terminal has wrapped is one again. */
export function joinedLines(
  model: TerminalModel,
  buffer: XtermBuffer,
  from: number,
  to: number,
): readonly (readonly StyledRun[])[] {
  const lines: StyledRun[][] = [];
  for (let at = from; at < to; at++) {
    const line = model.line(buffer, at);
    if (line === undefined) break;
    const last = lines.at(-1);
    const isContinued = at + 1 < to && model.line(buffer, at + 1)?.isWrapped === true;
    const runs = styledRow(model, line, isContinued);
    if (line.isWrapped && last !== undefined) last.push(...runs);
    else lines.push([...runs]);
  }
  return lines;
}

export function plainText(runs: readonly StyledRun[]): string {
  return runs
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}

/** The line with colours and links, in the default pen at its beginning and end. */
export function ansiText(runs: readonly StyledRun[]): string {
  return runs
    .map(({ text, style, link }) => {
      const linked = link === '' ? text : `\x1b]8;;${link}\x1b\\${text}\x1b]8;;\x1b\\`;
      return style === '' ? linked : `\x1b[${style}m${linked}\x1b[m`;
    })
    .join('');
}

function lookOf(model: TerminalModel, line: XtermLine, column: number): { readonly style: string; readonly link: string } {
  const foreground = line._data[column * CELL_WORDS + 1] ?? 0;
  const background = line._data[column * CELL_WORDS + 2] ?? 0;
  if (foreground === 0 && background === 0) return { style: '', link: '' };
  const extended = (background & HAS_EXTENDED) === 0 ? undefined : line._extendedAttrs[column];
  const target = extended === undefined ? '' : model.links.textOf(extended._urlId);
  return {
    style: attributeParameters(foreground, background, extended?._ext ?? 0).join(';'),
    link: target.slice(target.indexOf(';') + 1),
  };
}

function textOf(line: XtermLine, column: number, content: number): string {
  if ((content & COMBINED) !== 0) return line._combined[column] ?? ' ';
  return (content & CODE_MASK) === 0 ? ' ' : String.fromCodePoint(content & CODE_MASK);
}
