import { TOP } from './check.ts';
import type { Setting } from './kinds.ts';
import type { Schema } from './schema.ts';

/** A file with every key of a schema, each behind a `#` with what it means and a value that it may have. */
export function schemaTemplate(schema: Schema, lines: readonly string[] = []): string {
  const tables = Object.entries(schema).map(([name, settings]) => {
    const keys = Object.entries(settings).flatMap(([key, setting]) => keyLines(key, setting));
    return [...(name === TOP ? [] : [`[${name}]`]), ...keys].join('\n');
  });
  return `${[lines.join('\n'), ...tables].filter((part) => part !== '').join('\n\n')}\n`;
}

function keyLines(key: string, { doc, expects, example }: Setting<unknown>): readonly string[] {
  return [`# ${doc}`, `# (${expects})`, `# ${key} = ${example ?? ''}`];
}
