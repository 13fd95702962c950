import { bufferFromBytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { chosenLogs, logDocument } from './chosen-logs.ts';

/** Without --json the lines byte for byte, so that their chain can be followed elsewhere. */
export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const logs = await chosenLogs(call, context);
  const isSound = logs.every(({ breaks }) => breaks.length === 0);
  for (const { id, breaks } of logs) {
    if (breaks.length > 0) context.notify(`The log of session ${id} is not what was written: see \`nono audit verify ${id}\``);
  }
  const exitCode = isSound ? EXIT.ok : EXIT.partial;
  if (!call.flags.has('json')) return { output: logs.map(({ text }) => bufferFromBytes(text)), exitCode };
  const sessions = logs.map((log) => ({ ...logDocument(log), events: log.events }));
  return { output: jsonOutput({ ok: isSound, sessions }), exitCode };
}
