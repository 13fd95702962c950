import { type Bytes, bufferFromBytes, displayBytes } from '../bytes.ts';
import { describeFailure, EXIT, NonoError, SystemError } from '../errors.ts';
import { tildePath } from '../paths.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { type RollbackStart } from '../rollback/baseline.ts';
import { SKIP_TEXTS } from '../rollback/entry.ts';
import { keepLimits } from '../rollback/housekeeping.ts';
import type { ChangeCounts } from '../rollback/manifest.ts';
import { openRollbacks } from '../rollback/open-rollbacks.ts';
import type { RetentionLimits } from '../rollback/retention.ts';
import type { RollbackDeps } from '../rollback/rollback-deps.ts';
import { type RollbackRun, startRollback } from '../rollback/run.ts';
import type { SnapshotProgress } from '../rollback/snapshot.ts';
import { RollbackStore } from '../rollback/store.ts';
import type { Plan } from '../sandbox/plan.ts';
import type { AuditEvent } from '../session/audit-event.ts';
import { hexDigest } from '../session/audit-read.ts';
import type { CommandEnd } from '../session/live-session.ts';
import { readWhole } from '../session/read-whole.ts';
import { ProgressLine } from '../ui/progress.ts';
import { formatSize } from '../ui/size.ts';
import type { Context } from './context.ts';

/** @throws {NonoError} when nothing that the command may write is to be tracked: the promise would be empty. */
export function checkRoots({ writableGrants }: Plan): void {
  if (writableGrants.length > 0) return;
  throw new NonoError(
    'E_NOTHING_TRACKED',
    EXIT.nonoFailed,
    'Cannot track changes: the command may write nothing that could be tracked',
    {
      hint: 'Share what it changes with --allow-cwd or --allow DIR, or run without --rollback',
    },
  );
}

export type RunStart = Pick<
  RollbackStart,
  'stateDirectory' | 'runId' | 'supervisorPid' | 'profile' | 'limits' | 'exclusions' | 'prompts' | 'patienceMs'
> & {
  readonly plan: Pick<Plan, 'writableGrants' | 'command' | 'workingDirectory'>;
};

/** Takes the baseline of everything that the user let the command write, and says what is tracked. */
export async function startRun(deps: RollbackDeps, { plan, ...start }: RunStart, say: Say): Promise<RollbackRun> {
  using status = new ProgressLine(say.showProgress, deps.clock);
  const run = await startRollback(deps, {
    ...start,
    roots: plan.writableGrants,
    command: plan.command,
    workingDirectory: plan.workingDirectory,
    onProgress: (progress) => tell(status, 'baseline', progress),
  });
  status[Symbol.dispose]();
  say.notify(trackedLine(run, say.homeDirectory));
  if (run.becomesDurable !== undefined) {
    say.notify('Its baseline is still on its way to the disk: a loss of power now may cost it (--durable waits)');
    run.becomesDurable.catch((error: unknown) => say.notify(`The baseline may not be on the disk: ${reasonOf(error)}`));
  }
  return run;
}

/** How people hear of it. */
export interface Say {
  readonly notify: (line: string) => void;
  readonly showProgress: (text: string | undefined) => void;
  readonly homeDirectory: Bytes;
}

/** How many entries there will be nobody knows before they have been listed; there are about as many as the last time. */
function tell(line: ProgressLine, what: 'baseline' | 'final snapshot', progress: SnapshotProgress): void {
  if (progress.phase === 'syncing') line.update(`Writing the ${what} to the disk …`);
  else {
    const { entries, expected } = progress;
    line.count(`Taking the ${what}`, entries, 'entries', expected === undefined ? undefined : Math.max(expected, entries));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the audit log says of a snapshot that was taken; the digest is that of the manifest as it is on the disk now. */
export function snapshotEvent(state: Directory, hash: Hash, id: Bytes, label: string): AuditEvent {
  return { event: 'snapshot', rollback_session: id, label, manifest_digest: digestManifest(state, hash, id) };
}

/** Null where it cannot be read: what was taken is taken all the same. */
function digestManifest(state: Directory, hash: Hash, id: Bytes): string | null {
  try {
    using rollbacks = openRollbacks(state);
    using file = rollbacks.openFile(`${id}/manifest.json` as Bytes);
    return hexDigest(bufferFromBytes(readWhole(file)), hash);
  } catch (error) {
    if (error instanceof SystemError) return null;
    throw error;
  }
}

/** What a run says before the command starts: what is tracked, and what is not. */
function trackedLine({ roots, id, skipped }: RollbackRun, home: Bytes): string {
  const shown = roots.map((root) => displayBytes(tildePath(root, home))).join(', ');
  const missing = Array.from(skipped, ([reason, count]) => `${count} ${SKIP_TEXTS[reason]}`).join(', ');
  return `Tracking ${shown} as ${displayBytes(id)}${missing === '' ? '' : `, but not: ${missing}`}`;
}

/** Removes what the limits leave no room for, and says so in one line. What cannot be removed now is no failure of this run. */
export async function keepWithinLimits(
  context: Pick<Context, 'hash' | 'clock' | 'notify'>,
  stateDirectory: Directory,
  spared: Bytes,
  limits: RetentionLimits,
): Promise<void> {
  try {
    await removePastLimits(context, stateDirectory, spared, limits);
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof NonoError)) throw error;
    context.notify(`Could not remove rollback sessions past the limits: ${error.message}`);
  }
}

async function removePastLimits(
  context: Pick<Context, 'hash' | 'clock' | 'notify'>,
  stateDirectory: Directory,
  spared: Bytes,
  limits: RetentionLimits,
): Promise<void> {
  using store = new RollbackStore(openRollbacks(stateDirectory), context.hash);
  const removals = await keepLimits(store, limits, { spared, nowMs: context.clock.nowMs() });
  if (removals.length === 0) return;
  const freed = formatSize(removals.reduce((sum, { freedBytes }) => sum + freedBytes, 0));
  const ids = removals.map(({ id }) => displayBytes(id)).join(', ');
  context.notify(`Removed rollback sessions past the limits (${freed}): ${ids}`);
}

/**
 * Takes the final snapshot and says what changed.
 *
 * @returns what went wrong, null when nothing did.
 */
export async function finishRun(
  snapshots: RollbackRun,
  { exitCode, signal }: CommandEnd,
  { notify, showProgress, clock }: Pick<Say, 'notify' | 'showProgress'> & { readonly clock: Clock },
): Promise<string | null> {
  using status = new ProgressLine(showProgress, clock);
  try {
    const counts = await snapshots.finish({ exitCode, signal: signal ?? undefined }, (progress) =>
      tell(status, 'final snapshot', progress),
    );
    status[Symbol.dispose]();
    for (const line of summaryLines(counts, snapshots.id)) notify(line);
    return null;
  } catch (error) {
    status[Symbol.dispose]();
    const { text } = describeFailure(error);
    const baseline = snapshots.isListed ? 'its baseline is still there' : 'and its baseline is gone';
    notify(`The final snapshot of ${displayBytes(snapshots.id)} FAILED, ${baseline}:`);
    for (const line of text.split('\n')) notify(line);
    return text;
  }
}

function summaryLines({ created, modified, deleted, modeChanged }: ChangeCounts, id: Bytes): readonly string[] {
  const counts = [
    [created, 'created'],
    [modified, 'modified'],
    [deleted, 'deleted'],
    [modeChanged, 'with another mode'],
  ] as const;
  const parts = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  if (parts.length === 0) return ['Nothing that is tracked has changed'];
  return [`Changed: ${parts.join(', ')}`, `Undo with: nono rollback restore ${displayBytes(id)}`];
}
