import { type Bytes, displayBytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { parseCount } from '../../parse.ts';
import { baseName, isWithin, tildePath } from '../../paths.ts';
import { sessionBytes } from '../../rollback/housekeeping.ts';
import { type Manifest, newestFirst } from '../../rollback/manifest.ts';
import { isReviewed } from '../../rollback/reviewed.ts';
import type { RollbackStore } from '../../rollback/store.ts';
import { formatAge } from '../../time.ts';
import { countParts, totalOf } from '../../ui/change-lines.ts';
import { createPalette } from '../../ui/palette.ts';
import { type NewsPart, type ProjectRows, renderSessionList, type SessionRow } from '../../ui/session-list.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { countFields, sessionFields, sessionStatus } from './documents.ts';
import { resolveGiven } from './given-path.ts';
import { openOlderStore, openStore } from './open-store.ts';

/** How many sessions of a project are shown before the rest becomes `...`. */
const SESSIONS_SHOWN = 5;

interface Listed {
  readonly manifest: Manifest;
  readonly store: RollbackStore;
  readonly isAlive: boolean;
  readonly isUnknown: boolean;
  readonly isReviewed: boolean;
}

export async function execute({ flags, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const path = values.get('path')?.[0];
  const recent = values.get('recent')?.[0];
  const most = recent === undefined ? Number.POSITIVE_INFINITY : parseCount('recent', recent);
  const wanted = path === undefined ? undefined : resolveGiven(context, path);
  const all = readAll(context)
    .filter(({ manifest }) => wanted === undefined || isAbout(manifest, wanted))
    .filter(({ manifest }) => flags.has('all') || manifest.counts === undefined || totalOf(manifest.counts) > 0);
  const listed = all.slice(0, most).map(({ manifest, store }) => lookAt(store, manifest));
  if (flags.has('json')) return { output: jsonOutput(listed.map((item) => documentOf(item, context))), exitCode: EXIT.ok };
  const limit = flags.has('all') || recent !== undefined ? Number.POSITIVE_INFINITY : SESSIONS_SHOWN;
  const { isStdoutTerminal, columns, colourStdout } = context.terminal;
  const layout = { palette: createPalette(colourStdout), columns: isStdoutTerminal ? columns : Number.POSITIVE_INFINITY };
  return {
    output: renderSessionList(groupByProject(listed, context, limit), all.length > listed.length, layout),
    exitCode: EXIT.ok,
  };
}

/** The sessions of both places, newest first; what is in a form of others is named. */
function readAll(context: Context): { readonly manifest: Manifest; readonly store: RollbackStore }[] {
  const own = openStore(context);
  const older = openOlderStore(context);
  for (const name of older.strangers)
    context.notify(`Passed over session undo/${displayBytes(name)}: it is not in a form that this nono reads`);
  const found = [own, older].flatMap(({ store, manifests }) =>
    store === undefined ? [] : manifests.map((manifest) => ({ manifest, store })),
  );
  return found.sort((a, b) => newestFirst(a.manifest, b.manifest));
}

function lookAt(store: RollbackStore, manifest: Manifest): Listed {
  if (manifest.status === 'open') {
    using session = store.open(manifest.id);
    return { manifest, store, isAlive: session.isLive(), isUnknown: session.isUnknown(), isReviewed: false };
  }
  using directory = store.openDirectory(manifest.id);
  return { manifest, store, isAlive: false, isUnknown: false, isReviewed: directory !== undefined && isReviewed(directory) };
}

function documentOf({ manifest, store, isAlive, isUnknown, isReviewed: reviewed }: Listed, { clock }: Context) {
  const fields = sessionFields(manifest, { isAlive, isUnknown, diskSize: sessionBytes(store, manifest), clock });
  return { ...fields, counts: countFields(manifest), reviewed };
}

/** Whether the session tracks `path` or something in it. */
function isAbout(manifest: Manifest, path: Bytes): boolean {
  return manifest.roots.some((root) => isWithin(root.path, path) || isWithin(path, root.path));
}

function groupByProject(listed: readonly Listed[], context: Context, limit: number): ProjectRows[] {
  const projects = new Map<Bytes, Listed[]>();
  for (const item of listed) {
    const project = projects.get(item.manifest.workingDirectory);
    if (project === undefined) projects.set(item.manifest.workingDirectory, [item]);
    else project.push(item);
  }
  const nowMs = context.clock.nowMs();
  return Array.from(projects, ([path, items]) => ({
    name: displayBytes(tildePath(path, context.homeDirectory)),
    count: items.length,
    rows: items.slice(0, limit).map((item) => rowOf(item, nowMs)),
  }));
}

function rowOf(item: Listed, nowMs: number): SessionRow {
  const { manifest } = item;
  return {
    id: displayBytes(manifest.id),
    age: formatAge(nowMs - manifest.startedMs),
    command:
      manifest.kind === 'restore' ? `restore of ${displayBytes(manifest.restores ?? ('' as Bytes))}` : commandName(manifest),
    news: newsOf(item),
  };
}

function newsOf({ manifest, isAlive, isUnknown, isReviewed: reviewed }: Listed): NewsPart[] {
  const { counts, kind, status } = manifest;
  if (counts === undefined)
    return [{ text: sessionStatus(manifest, { isAlive, isUnknown }), kind: isAlive ? 'changed' : 'removed' }];
  const parts: NewsPart[] = countParts(counts);
  if (parts.length === 0) parts.push({ text: 'no changes', kind: 'plain' });
  if (status === 'recovered') parts.push({ text: 'recovered', kind: 'faint' });
  if (kind === 'run' && totalOf(counts) > 0 && !reviewed) parts.push({ text: 'not reviewed', kind: 'faint' });
  return parts;
}

function commandName({ command }: Manifest): string {
  return displayBytes(baseName(command[0] ?? ('' as Bytes)));
}
