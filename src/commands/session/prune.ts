import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { parseCount } from '../../parse.ts';
import { joinPath } from '../../paths.ts';
import type { Directory } from '../../ports/files.ts';
import { removeLeftovers, removeSessionFiles } from '../../session/leftovers.ts';
import { sweepNames } from '../../session/name-lock.ts';
import { readSession, type Session } from '../../session/sessions.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import { sweepTemporaryDirectories } from '../../session/temporary-directory.ts';
import type { Context } from '../context.ts';
import { NAMES } from '../new-session.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { openSessions, sessionsPath } from './open-sessions.ts';

const DAY_MS = 86_400_000;
interface Ended {
  readonly id: string;
  readonly started: string;
  readonly endedMs: number;
}

export async function execute({ flags, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const olderThan = values.get('older-than')?.[0];
  const keep = values.get('keep')?.[0];
  // Without the option what has ended while the clock was ahead goes too.
  const minimumAgeMs = olderThan === undefined ? Number.NEGATIVE_INFINITY : parseCount('older-than', olderThan) * DAY_MS;
  const kept = keep === undefined ? 0 : parseCount('keep', keep);
  const { sessions } = await openSessions(context);
  const isDryRun = flags.has('dry-run');
  using directory = openStateDirectory(context.files, sessionsPath(context), context.uid, { create: false });
  const chosen = sessions
    .filter(({ status }) => status === 'exited' || status === 'lost')
    .map((session) => ended(session))
    .sort((a, b) => b.endedMs - a.endedMs)
    .slice(kept)
    .filter(({ endedMs }) => context.clock.nowMs() - endedMs >= minimumAgeMs);
  if (!isDryRun && directory !== undefined) await remove(directory, chosen, context);
  const ids = chosen.map(({ id }) => id);
  if (flags.has('json')) return { output: jsonOutput({ removed: ids, dry_run: isDryRun }), exitCode: EXIT.ok };
  if (ids.length === 0) context.notify('Nothing to do: no record of an ended session is to be removed');
  return { output: ids.map((id) => `${id}\n`).join(''), exitCode: EXIT.ok };
}

/** Nobody wrote down when a lost session ended: it lived until its last heartbeat at least. */
function ended({ record, touchedMs }: Session): Ended {
  return {
    id: record.session_id,
    started: record.started,
    endedMs: record.ended === null ? touchedMs : Date.parse(record.ended),
  };
}

/** Somebody else may have removed it since it was listed, and a new session have its id. */
function isStill(session: Session | undefined, started: string): boolean {
  return session !== undefined && !session.isLive && session.record.started === started;
}

/** With what starts and ends left behind that were killed half way. */
async function remove(sessions: Directory, chosen: readonly Ended[], context: Context): Promise<void> {
  const { files, stateDirectory, uid } = context;
  const { processes } = await context.loadSandbox();
  const deps = { processes, hostName: context.hostName, self: processes.self(), uid: sessions.statSelf().uid };
  for (const { id, started } of chosen) if (isStill(readSession(sessions, id, deps), started)) removeSessionFiles(sessions, id);
  removeLeftovers(sessions, processes);
  using names = openStateDirectory(files, joinPath(stateDirectory, NAMES), uid, { create: false });
  if (names !== undefined) await sweepNames(names);
  sweepTemporaryDirectories(files, processes, uid);
}
