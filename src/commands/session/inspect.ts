import { displayBytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { workingDirectoryOf } from '../../session/read-record.ts';
import type { Session } from '../../session/sessions.ts';
import { renderTable } from '../../ui/table.ts';
import type { Context } from '../context.ts';
import { printJson } from '../rollback/documents.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { sessionDocument, shown, shownCommand } from './documents.ts';
import { openSession } from './open-sessions.ts';

export async function execute({ flags, positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  const session = await openSession(context, wanted);
  if (flags.has('json')) return { output: printJson(sessionDocument(session)), exitCode: EXIT.ok };
  return { output: renderTable(lines(session).map(([name, value]) => [`${name}:`, value])), exitCode: EXIT.ok };
}

function lines(session: Session): readonly (readonly [name: string, value: string])[] {
  const { record, status, isLive } = session;
  const { enforced } = record;
  const rights = Object.entries(enforced)
    .filter(([, value]) => value === true)
    .map(([name]) => name.replaceAll('_', ' '));
  return [
    ['Session', record.session_id],
    ['Name', shown(record.name)],
    ['Status', status],
    ['Attachment', isLive ? record.attachment : '-'],
    ['Command', shownCommand(session)],
    ['Command pid', isLive && record.child_pid !== null ? String(record.child_pid) : '-'],
    ['Supervisor pid', isLive ? String(record.supervisor_pid) : '-'],
    ['Started', shown(record.started)],
    ['Ended', record.ended === null ? '-' : shown(record.ended)],
    ['Exit status', exitStatus(session)],
    ['Profile', shown(record.profile)],
    ['Working directory', displayBytes(workingDirectoryOf(record))],
    ['Network', record.network],
    ['Rollback session', record.rollback_session === null ? '-' : shown(record.rollback_session)],
    ['Enforced', `Landlock ABI ${enforced.landlock_abi}: ${rights.join(', ')}`],
    ['Not enforced', enforced.missing.length === 0 ? '-' : enforced.missing.join(', ')],
    ['Pending approvals', String(record.pending_approvals)],
    ...(record.failure === null ? [] : [['Failed at the end', shown(record.failure)] as const]),
  ];
}

function exitStatus({ record }: Session): string {
  if (record.exit_code === null) return '-';
  return record.signal === null ? String(record.exit_code) : `${record.exit_code} (${shown(record.signal)})`;
}
