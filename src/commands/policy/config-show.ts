import { readConfigDocument } from '../../config/config.ts';
import { configPath } from '../../config/config-path.ts';
import { CONFIG_SCHEMA } from '../../config/schema.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';

/** Every setting as it is in force: the user's own as they were read, the others as examples of what they are by default. */
export async function execute({ flags }: ParsedCall, { files, environment, homeDirectory }: Context): Promise<CommandResult> {
  const { settings, written } = readConfigDocument(files, configPath(environment, homeDirectory));
  if (flags.has('json')) {
    const own = Array.from(written, ([name, line]) => ({ key: name, line }));
    const values = Object.fromEntries(
      Object.entries(settings).map(([table, keys]) => [
        table,
        Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, value ?? null])),
      ]),
    );
    return { output: jsonOutput({ settings: values, own }), exitCode: EXIT.ok };
  }
  const tables = Object.entries(CONFIG_SCHEMA).map(([table, keys]) => {
    const lines = Object.entries(keys).map(([key, { fallback, example, doc }]) => {
      const line = written.get(`${table}.${key}`);
      const value = settings[table as keyof typeof settings][key as never] as unknown;
      if (line !== undefined) return `${key} = ${renderOwn(value)} # yours, line ${line}`;
      return fallback === undefined ? `# ${key} is not set: ${doc}` : `${key} = ${example}`;
    });
    return `[${table}]\n${lines.join('\n')}\n`;
  });
  return { output: tables.join('\n'), exitCode: EXIT.ok };
}

/** A sequence of keys is written with blanks between them. */
function renderOwn(value: unknown): string {
  return JSON.stringify(Array.isArray(value) ? value.join(' ') : value);
}
