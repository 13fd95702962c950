import { displayBytes } from '../../bytes.ts';
import { configPath } from '../../config/config-path.ts';
import { EXIT } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';

export async function execute(_call: ParsedCall, { environment, homeDirectory }: Context): Promise<CommandResult> {
  return { output: `${displayBytes(configPath(environment, homeDirectory))}\n`, exitCode: EXIT.ok };
}
