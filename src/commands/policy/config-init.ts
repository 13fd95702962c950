import { type Bytes, displayBytes } from '../../bytes.ts';
import { configPath } from '../../config/config-path.ts';
import { CONFIG_SCHEMA } from '../../config/schema.ts';
import { schemaTemplate } from '../../config/template.ts';
import { EXIT } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { writeNewFile } from './write-new-file.ts';

const HEADING = ["# nono's configuration: every key, with the value that it has when it is not written."];

export async function execute(_call: ParsedCall, context: Context): Promise<CommandResult> {
  const path = configPath(context.environment, context.homeDirectory);
  await writeNewFile(context.files, path, schemaTemplate(CONFIG_SCHEMA, HEADING), {
    temporaryName: `.nono-${context.randomHex(8)}` as Bytes,
    followsLinks: true,
  });
  return { output: `${displayBytes(path)}\n`, exitCode: EXIT.ok };
}
