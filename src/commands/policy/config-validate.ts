import { displayBytes } from '../../bytes.ts';
import { readConfig } from '../../config/config.ts';
import { configPath, mayBeThere } from '../../config/config-path.ts';
import { EXIT } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';

/** @throws {ConfigError} with a line for each problem. */
export async function execute(_call: ParsedCall, { files, environment, homeDirectory }: Context): Promise<CommandResult> {
  const path = configPath(environment, homeDirectory);
  const shown = displayBytes(path);
  if (!mayBeThere(files, path)) return { output: `${shown}: there is none, every setting has its default\n`, exitCode: EXIT.ok };
  readConfig(files, path);
  return { output: `${shown}: ok\n`, exitCode: EXIT.ok };
}
