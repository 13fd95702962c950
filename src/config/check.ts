import { nearest } from '../nearest.ts';
import type { Setting } from './kinds.ts';
import type { Schema, Settings } from './schema.ts';
import type { TomlEntry, TomlTable, TomlValue } from './toml-value.ts';

/** Something in a file that cannot be used, and the line where it stands. */
export interface Problem {
  readonly line: number;
  readonly message: string;
}

/** The table of a schema that has the keys which stand before every header. */
export const TOP = '';

/** Reads a document by its schema. Every problem is found, not only the first; what has one keeps its fallback. */
export function checkDocument<Of extends Schema>(
  document: TomlTable,
  schema: Of,
): { readonly settings: Settings<Of>; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const { [TOP]: top = {}, ...tables } = schema as Schema;
  for (const [name, { line, value }] of document.value) {
    if (Object.hasOwn(top, name)) continue;
    const siblings = [...Object.keys(top), ...Object.keys(tables)];
    if (name === TOP || !Object.hasOwn(tables, name)) problems.push(unknownKey({ line, name, siblings, schema }));
    else if (value.kind !== 'table')
      problems.push({ line, message: `cannot use ${describe(value)} for "${name}": expected a table, write [${name}]` });
  }
  const read = Object.entries(schema).map(([name, settings]) => {
    const found = name === TOP ? document : document.value.get(name)?.value;
    const written = found?.kind === 'table' ? found.value : new Map<string, never>();
    for (const [key, { line }] of name === TOP ? [] : written) {
      if (!Object.hasOwn(settings, key)) problems.push(unknownKey({ line, name: key, siblings: Object.keys(settings), schema }));
    }
    const values = Object.entries(settings).map(([key, setting]) => {
      const entry = written.get(key);
      if (entry === undefined) return [key, setting.fallback];
      const value = setting.read(entry.value);
      if (value !== undefined) return [key, value];
      problems.push(badValue(key, entry, setting));
      return [key, setting.fallback];
    });
    return [name, Object.fromEntries(values)];
  });
  // The types cannot follow entries through fromEntries(); each value came from the row of its own key.
  return { settings: Object.fromEntries(read) as Settings<Of>, problems: problems.sort((a, b) => a.line - b.line) };
}

function badValue(key: string, { line, value }: TomlEntry, { expects, culprit }: Setting<unknown>): Problem {
  const part = culprit?.(value);
  if (part === undefined) return { line, message: `cannot use ${describe(value)} for "${key}": expected ${expects}` };
  return { line: part.line, message: `cannot use ${describe(part)} in "${key}": expected ${expects}` };
}

interface Unknown {
  readonly line: number;
  readonly name: string;
  readonly siblings: readonly string[];
  readonly schema: Schema;
}

/** Names the nearest key of the same table, else the table that does have a key of this name. */
function unknownKey({ line, name, siblings, schema }: Unknown): Problem {
  const home = Object.entries(schema).find(([, settings]) => Object.hasOwn(settings, name));
  const guess = nearest(name, siblings);
  const place = home?.[0] === TOP ? 'before the first [table]' : `to [${home?.[0]}]`;
  const hint = guess !== undefined ? `, did you mean "${guess}"?` : home !== undefined ? `, it belongs ${place}` : '';
  return { line, message: `unknown key ${JSON.stringify(name)}${hint}` };
}

function describe(value: TomlValue): string {
  switch (value.kind) {
    case 'text':
      return JSON.stringify(value.value);
    case 'array':
      return 'an array';
    case 'table':
      return 'a table';
    case 'integer':
    case 'float':
    case 'boolean':
    case 'date':
      return String(value.value);
  }
}
