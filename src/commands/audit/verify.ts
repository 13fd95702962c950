import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { chosenLogs, logDocument } from './chosen-logs.ts';
import type { SessionAudit } from './read-logs.ts';

export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const logs = await chosenLogs(call, context);
  const isSound = logs.every(({ breaks }) => breaks.length === 0);
  const exitCode = isSound ? EXIT.ok : EXIT.partial;
  if (call.flags.has('json')) return { output: jsonOutput({ ok: isSound, sessions: logs.map(logDocument) }), exitCode };
  const lines = logs.flatMap(describe);
  return { output: lines.length === 0 ? 'No logs to verify\n' : `${lines.join('\n')}\n`, exitCode };
}

function describe({ id, breaks, isTorn, missing, head }: SessionAudit): readonly string[] {
  const size = `${head.events} ${head.events === 1 ? 'event' : 'events'}`;
  const torn = isTorn ? ', and the beginning of one more, which was never finished' : '';
  const lost = missing === 0 ? '' : `, ${missing} missing that the disk did not take`;
  const shown = breaks.map(({ line, reason }) => `  line ${line}: ${reason}`);
  return [`${id}  ${breaks.length === 0 ? 'ok' : 'broken'}  ${size}${lost}${torn}`, ...shown];
}
