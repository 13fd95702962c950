import { bytesFromText, displayBytes } from '../../bytes.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { EventFields } from '../../session/audit-read.ts';
import { workingDirectoryOf } from '../../session/read-record.ts';
import type { Session } from '../../session/sessions.ts';
import type { Shared } from '../../session/shared.ts';
import { formatAge } from '../../time.ts';
import { renderTable } from '../../ui/table.ts';
import { readSessionAudit } from '../audit/read-logs.ts';
import type { Context } from '../context.ts';
import { reviewState } from '../rollback/review-state.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { sessionDocument, shown, shownCommand, shownPath } from './documents.ts';
import { openEach } from './each-session.ts';

export async function execute({ flags, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  if (flags.has('events') && positionals.length > 1) {
    throw new UsageError('Cannot show the events of several sessions in one list', { hint: 'Give one ID with --events' });
  }
  const sessions = await openEach(context, positionals);
  const [session] = sessions;
  if (session === undefined) throw new TypeError('Expected the parser to ask for an ID');
  if (flags.has('events')) return showEvents(session, flags.has('json'), context);
  if (!flags.has('json')) {
    const tables = sessions.map((each) =>
      renderTable(lines(each, reviewOf(each, context), context.clock.nowMs()).map(([name, value]) => [`${name}:`, value])),
    );
    return { output: tables.join('\n'), exitCode: EXIT.ok };
  }
  const documents = sessions.map((each) => ({ ...sessionDocument(each), reviewed: reviewOf(each, context) }));
  return { output: jsonOutput(documents.length === 1 ? documents[0] : { sessions: documents }), exitCode: EXIT.ok };
}

/** Null while it lives. */
function reviewOf({ record, isLive }: Session, context: Context): boolean | null {
  const { rollback_session: rollbackId } = record;
  return isLive ? null : reviewState(context, rollbackId === null ? null : bytesFromText(rollbackId));
}

/** What happened, in its order. A log that is not what was written is shown as far as it can be read. */
function showEvents(session: Session, isJson: boolean, context: Context): CommandResult {
  const id = session.record.session_id;
  const { events, breaks } = readSessionAudit(context, id, session);
  const exitCode = breaks.length === 0 ? EXIT.ok : EXIT.partial;
  if (breaks.length > 0) context.notify(`The log is not what was written: see \`nono audit verify ${id}\``);
  if (isJson) return { output: jsonOutput({ events }), exitCode };
  return { output: renderTable([['TIME', 'EVENT', 'DETAILS'], ...events.map(eventRow)]), exitCode };
}

function eventRow({ format: _format, number: _number, prev: _prev, time, event, ...details }: EventFields): readonly string[] {
  const parts = Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [time, event, parts.join(' ')].map((value) => shown(String(value)));
}

/** When, and how long ago that is. */
function withAge(timestamp: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(timestamp);
  return Number.isFinite(ageMs) ? `${shown(timestamp)} (${formatAge(ageMs)})` : shown(timestamp);
}

type Line = readonly [name: string, value: string];

function lines(session: Session, reviewed: boolean | null, nowMs: number): readonly Line[] {
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
    ['Started', withAge(record.started, nowMs)],
    ['Ended', record.ended === null ? '-' : withAge(record.ended, nowMs)],
    ['Exit status', exitStatus(session)],
    ['Profile', shown(record.profile)],
    ['Working directory', displayBytes(workingDirectoryOf(record))],
    ...(record.shared === undefined ? [] : sharedLines(record.shared)),
    ['Network', record.network],
    ['Rollback session', record.rollback_session === null ? '-' : shown(record.rollback_session)],
    ...(reviewed === null ? [] : [['Review', reviewed ? 'reviewed' : 'not reviewed'] as const]),
    ['Enforced', `Landlock ABI ${enforced.landlock_abi}: ${rights.join(', ')}`],
    ['Not enforced', enforced.missing.length === 0 ? '-' : enforced.missing.join(', ')],
    ['Pending approvals', String(record.pending_approvals)],
    ...(record.failure === null ? [] : [['Failed at the end', shown(record.failure)] as const]),
  ];
}

const ACCESS_WORDS = { read: 'reading', write: 'writing', readwrite: 'reading and writing' } as const;

function sharedLines({ paths, sockets, connect_ports: connect, bind_ports: bind, asks }: Shared): readonly Line[] {
  const ports = [...connect.map((port) => `connecting to ${port}`), ...bind.map((port) => `listening on ${port}`)];
  const shared = paths.map(({ path, access }) => `${displayBytes(shownPath(path))} (${ACCESS_WORDS[access]})`);
  return [
    ['Shared', shared.length === 0 ? '-' : shared.join(', ')],
    ...(sockets.length === 0 ? [] : [['Sockets', sockets.map((path) => displayBytes(shownPath(path))).join(', ')] as const]),
    ...(ports.length === 0 ? [] : [['Ports', ports.join(', ')] as const]),
    ...(asks ? [['Asks', 'about what is not shared'] as const] : []),
  ];
}

function exitStatus({ record }: Session): string {
  if (record.exit_code === null) return '-';
  return record.signal === null ? String(record.exit_code) : `${record.exit_code} (${shown(record.signal)})`;
}
