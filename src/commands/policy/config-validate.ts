import { displayBytes, jsonPath } from '../../bytes.ts';
import { readConfig } from '../../config/config.ts';
import { configPath, mayBeThere } from '../../config/config-path.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { problemsOf } from './problems.ts';

/** @throws {ConfigError} with a line for each problem, unless they are wanted as JSON. */
export async function execute({ flags }: ParsedCall, { files, environment, homeDirectory }: Context): Promise<CommandResult> {
  const path = configPath(environment, homeDirectory);
  const shown = displayBytes(path);
  const isThere = mayBeThere(files, path);
  if (flags.has('json')) {
    const problems = isThere ? problemsOf(() => readConfig(files, path)) : [];
    const isGood = problems.length === 0;
    const document = { ok: isGood, ...jsonPath(path), exists: isThere, problems };
    return { output: jsonOutput(document), exitCode: isGood ? EXIT.ok : EXIT.failure };
  }
  if (!isThere) return { output: `${shown}: there is none, every setting has its default\n`, exitCode: EXIT.ok };
  readConfig(files, path);
  return { output: `${shown}: ok\n`, exitCode: EXIT.ok };
}
