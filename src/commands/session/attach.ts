import { type Bytes, bytesFromText, displayBytes } from '../../bytes.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { parseCount } from '../../parse.ts';
import { STATUS_PLACES, type StatusPlace } from '../../session/messages.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { attachTerminal, cannotAttach, noOwnTerminal } from './attach-terminal.ts';
import { openSession } from './open-sessions.ts';
import { reviewSession } from './review-session.ts';

export async function execute({ flags, values, positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  if (flags.has('view') && flags.has('steal')) {
    throw new UsageError('Cannot use --view with --steal: who only looks takes nothing over', { hint: 'Leave one of them out' });
  }
  const historyLines = readHistory(values.get('history')?.[0]);
  const status = readStatusPlace(values.get('status-line')?.[0]);
  if (status !== undefined && !flags.has('view')) {
    throw new UsageError('Cannot use --status-line without --view: the whole terminal is the command’s', { hint: 'Add --view' });
  }
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  if (session.status === 'unknown') {
    const { host } = session.record;
    throw cannotAttach(id, 'it runs on another host', `Attach to it on ${displayBytes(bytesFromText(host))}`);
  }
  if (!session.isLive && flags.has('view') && session.record.terminal) {
    const { readScreen, show } = await import('./screen.ts');
    context.notify(`Session ${id} has ended; this is what it showed last`);
    return { output: show(await readScreen(context, session), 'ansi'), exitCode: EXIT.ok };
  }
  if (!session.isLive) throw cannotAttach(id, 'it has ended', `See how with \`nono inspect ${id}\``);
  if (!session.record.terminal) throw noOwnTerminal(id);
  const mode = flags.has('view') ? 'view' : flags.has('steal') ? 'steal' : 'attach';
  const { exitCode, hasEnded } = await attachTerminal(context, session, { mode, historyLines, status });
  if (hasEnded && mode !== 'view' && !flags.has('no-rollback-prompt')) await reviewSession(context, id);
  return { exitCode };
}

function readHistory(value: Bytes | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value === 'all') return Number.MAX_SAFE_INTEGER;
  return value === 'none' ? 0 : parseCount('history', value);
}

function readStatusPlace(value: Bytes | undefined): StatusPlace | undefined {
  const place = STATUS_PLACES.find((candidate) => candidate === value);
  if (value === undefined || place !== undefined) return place;
  throw new UsageError(`Cannot use --status-line "${displayBytes(value)}": expected title or row`, {
    hint: 'Use --status-line title or --status-line row',
  });
}
