import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Session } from '../../session/sessions.ts';
import { formatDuration } from '../../time.ts';
import { renderTable } from '../../ui/table.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { sessionDocument, shown, shownCommand } from './documents.ts';
import { openSessions } from './open-sessions.ts';

const HEADING = ['SESSION', 'NAME', 'STATUS', 'ATTACH', 'PID', 'UPTIME', 'PROFILE', 'COMMAND'];

export async function execute({ flags }: ParsedCall, context: Context): Promise<CommandResult> {
  const { sessions } = await openSessions(context);
  const listed = flags.has('all') ? sessions : sessions.filter(({ isLive }) => isLive);
  if (flags.has('json')) return { output: jsonOutput(listed.map(sessionDocument)), exitCode: EXIT.ok };
  const nowMs = context.clock.nowMs();
  return { output: renderTable([HEADING, ...listed.map((session) => row(session, nowMs))]), exitCode: EXIT.ok };
}

function row(session: Session, nowMs: number): readonly string[] {
  const { record, status, isLive } = session;
  const endMs = record.ended === null ? nowMs : Date.parse(record.ended);
  const hasUptime = isLive || record.ended !== null;
  return [
    record.session_id,
    shown(record.name),
    isLive && status === 'running' && record.pending_approvals > 0 ? `waiting(${record.pending_approvals})` : status,
    isLive ? record.attachment : '-',
    isLive && record.child_pid !== null ? String(record.child_pid) : '-',
    hasUptime ? formatDuration(endMs - Date.parse(record.started)) : '-',
    shown(record.profile),
    shownCommand(session),
  ];
}
