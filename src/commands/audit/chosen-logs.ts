import { type Bytes, displayBytes } from '../../bytes.ts';
import { UsageError } from '../../errors.ts';
import { findSession } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import { openSessions } from '../session/open-sessions.ts';
import type { ParsedCall } from '../spec.ts';
import { auditedIds, readSessionAudit, type SessionAudit } from './read-logs.ts';

/** The logs that `ID` or `--all` mean, in the order of their sessions' start. */
export async function chosenLogs(
  { flags, positionals: [wanted] }: ParsedCall,
  context: Context,
): Promise<readonly SessionAudit[]> {
  if ((wanted === undefined) !== flags.has('all')) {
    throw new UsageError(
      wanted === undefined ? 'Cannot tell which log is meant without ID or --all' : 'Cannot use --all with an ID',
      {
        hint: wanted === undefined ? 'List sessions with `nono ps --all`' : `Leave out "${displayBytes(wanted)}", or --all`,
      },
    );
  }
  const list = await openSessions(context, { isQuiet: wanted !== undefined });
  const ids = wanted === undefined ? auditedIds(context, list.sessions) : [findId(wanted)];
  return ids.map((id) =>
    readSessionAudit(
      context,
      id,
      list.sessions.find(({ record }) => record.session_id === id),
    ),
  );

  /** The log of a record that is damaged can be looked at still. */
  function findId(text: Bytes): string {
    const damaged = list.unreadable.find(({ id }) => id === text);
    return damaged?.id ?? findSession(list, text).record.session_id;
  }
}

/** What `--json` says of a log. */
export function logDocument({ id, breaks, isTorn, missing, head }: SessionAudit) {
  return { session_id: id, ok: breaks.length === 0, event_count: head.events, missing_events: missing, torn: isTorn, breaks };
}
