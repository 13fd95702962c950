import { DamageError } from '../errors.ts';
import { SCREEN_FORMAT, type ScreenDocument } from '../terminal/screen-document.ts';
import type { StyledRun } from '../terminal/styled-lines.ts';

const CELLS_MAXIMUM = 10_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must never reach a terminal
const CONTROLS_REGEXP = /[\x00-\x1f\x7f-\x9f]/g;

/** What a supervisor sent or left on the disk, which anybody could have written there. @throws {DamageError} */
export function parseScreen(id: string, data: Uint8Array): ScreenDocument {
  const fields = parseObject(id, data);
  if (typeof fields['format'] !== 'number' || fields['format'] > SCREEN_FORMAT) throw damaged(id, 'it is of a newer format');
  const cursor = asObject(fields['cursor']);
  const { lines } = fields;
  if (!Array.isArray(lines)) throw damaged(id, 'it has no lines');
  return {
    format: SCREEN_FORMAT,
    columns: count(fields['columns']) || 1,
    rows: count(fields['rows']) || 1,
    title: safeText(fields['title']),
    alternate: fields['alternate'] === true,
    cursor: { row: count(cursor['row']), column: count(cursor['column']), visible: cursor['visible'] === true },
    lines: lines.slice(0, CELLS_MAXIMUM).map((line: unknown) => {
      const { wrapped, runs } = asObject(line);
      return { wrapped: wrapped === true, runs: Array.isArray(runs) ? runs.slice(0, CELLS_MAXIMUM).map(readRun) : [] };
    }),
  };
}

function readRun(value: unknown): StyledRun {
  const run = asObject(value);
  const { style } = run;
  return {
    text: safeText(run['text']),
    columns: count(run['columns']),
    style: typeof style === 'string' && /^[\d;:]*$/.test(style) ? style : '',
    link: safeText(run['link']),
  };
}

function parseObject(id: string, data: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(new TextDecoder().decode(data)));
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(id, 'it is no JSON');
    throw error;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= CELLS_MAXIMUM ? value : 0;
}

function safeText(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(CONTROLS_REGEXP, '') : '';
}

function damaged(id: string, what: string): DamageError {
  return new DamageError(`Cannot read the last screen of session ${id}: ${what}`, {
    hint: `See what it wrote with \`nono logs ${id}\``,
  });
}
