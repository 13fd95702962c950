import { type Bytes, displayBytes } from '../../bytes.ts';
import { DamageError, EXIT, NonoError, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { parseCount } from '../../parse.ts';
import { retentionItems } from '../../rollback/housekeeping.ts';
import { findOrphans, measureRemovals, type Removal, removeSessions } from '../../rollback/removal.ts';
import { chooseByAge, chooseByCount, chooseByLimits, type RetentionItem } from '../../rollback/retention.ts';
import { ProgressLine } from '../../ui/progress.ts';
import { formatSize } from '../../ui/size.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { loadUserConfig, retentionLimits } from '../user-config.ts';
import { type OpenStore, openStore } from './open-store.ts';

const DAY_MS = 86_400_000;

interface Wish {
  readonly keep: number | undefined;
  readonly olderThanDays: number | undefined;
  readonly isAll: boolean;
  readonly isDryRun: boolean;
  readonly isJson: boolean;
}

export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const wish = readWish(call);
  const { store, manifests, unreadable } = openStore(context);
  if (store === undefined) return report(wish, []);
  const items = retentionItems(store, manifests, undefined);
  const damaged = wish.isAll || wish.keep === 0 ? damagedIds(unreadable) : [];
  const chosen = [
    ...new Set([...(await choose(items, wish, context)), ...damaged, ...findOrphans(store, context.clock.nowMs())]),
  ];
  if (wish.isDryRun) return report(wish, await measureRemovals(store, chosen));
  if (wish.isAll && chosen.length > 0) confirmAll(call, context, chosen.length);
  using line = new ProgressLine(context.showProgress, context.clock);
  const removals = await removeSessions(store, chosen, (done) => line.count('Removing', done, 'sessions', chosen.length));
  return report(wish, removals);
}

/** What a newer nono wrote is not damaged: whether it is live, and what it holds, only that one can tell. */
function damagedIds(unreadable: OpenStore['unreadable']): readonly Bytes[] {
  return unreadable.flatMap(({ id, error }) => (error instanceof DamageError ? [id] : []));
}

function readWish({ flags, values }: ParsedCall): Wish {
  const keep = values.get('keep')?.[0];
  const olderThan = values.get('older-than')?.[0];
  const isAll = flags.has('all');
  if (flags.has('yes') && !isAll)
    throw new UsageError('Cannot use --yes without --all: nothing else asks', { hint: 'Leave it out' });
  if (isAll && (keep !== undefined || olderThan !== undefined)) {
    throw new UsageError('Cannot use --all with --keep or --older-than: it removes everything');
  }
  return {
    keep: keep === undefined ? undefined : parseCount('keep', keep),
    olderThanDays: olderThan === undefined ? undefined : parseCount('older-than', olderThan),
    isAll,
    isDryRun: flags.has('dry-run'),
    isJson: flags.has('json'),
  };
}

/** With two selectors only what both would remove goes. */
async function choose(
  items: readonly RetentionItem[],
  { keep, olderThanDays, isAll }: Wish,
  context: Context,
): Promise<readonly Bytes[]> {
  if (isAll) return chooseByCount(items, 0);
  if (keep === undefined && olderThanDays === undefined) {
    return chooseByLimits(items, retentionLimits(await loadUserConfig(context)));
  }
  const byCount = chooseByCount(items, keep ?? 0);
  if (olderThanDays === undefined) return byCount;
  const byAge = new Set(chooseByAge(items, context.clock.nowMs() - olderThanDays * DAY_MS));
  return byCount.filter((id) => byAge.has(id));
}

function confirmAll({ flags }: ParsedCall, { terminal, confirm }: Context, count: number): void {
  if (flags.has('yes')) return;
  if (!terminal.isStdinTerminal || !terminal.isStderrTerminal) {
    throw new UsageError(`Cannot remove all ${count} rollback sessions without a terminal to ask on`, { hint: 'Say --yes' });
  }
  if (!confirm(`Remove all ${count} rollback sessions? What they hold cannot be restored any more.`)) {
    throw new NonoError('E_DECLINED', EXIT.failure, 'Cannot remove all rollback sessions: the answer was no');
  }
}

function report({ isDryRun, isJson }: Wish, removals: readonly Removal[]): CommandResult {
  const freedBytes = removals.reduce((sum, removal) => sum + removal.freedBytes, 0);
  if (isJson) {
    const removed = removals.map(({ id, freedBytes: bytes }) => ({ session_id: displayBytes(id), freed_bytes: bytes }));
    return { output: jsonOutput({ dry_run: isDryRun, removed, freed_bytes: freedBytes }), exitCode: EXIT.ok };
  }
  const lines = removals.map(({ id, freedBytes: bytes }) => `${displayBytes(id)}  ${formatSize(bytes)}`);
  const verb = isDryRun ? 'Would remove' : 'Removed';
  lines.push(
    `${verb} ${removals.length} ${removals.length === 1 ? 'session' : 'sessions'}, ${formatSize(freedBytes)} ${isDryRun ? 'would be free' : 'freed'}`,
  );
  return { output: `${lines.join('\n')}\n`, exitCode: EXIT.ok };
}
