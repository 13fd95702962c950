import { type Bytes, displayBytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { parseCount } from '../../parse.ts';
import { baseName, isWithin, tildePath } from '../../paths.ts';
import { sessionBytes } from '../../rollback/housekeeping.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import type { RollbackStore } from '../../rollback/store.ts';
import { formatAge } from '../../time.ts';
import { countsText, totalOf } from '../../ui/change-lines.ts';
import { createPalette, type Palette } from '../../ui/palette.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { countFields, printJson, sessionFields, sessionStatus } from './documents.ts';
import { resolveGiven } from './given-path.ts';
import { openStore } from './open-store.ts';

/** How many sessions of a project are shown before the rest becomes `...`. */
const SESSIONS_SHOWN = 5;

interface Listed {
  readonly manifest: Manifest;
  readonly isAlive: boolean;
}

export async function execute({ flags, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const { store, manifests } = openStore(context);
  const path = values.get('path')?.[0];
  const recent = values.get('recent')?.[0];
  const most = recent === undefined ? Number.POSITIVE_INFINITY : parseCount('recent', recent);
  const wanted = path === undefined ? undefined : resolveGiven(context, path);
  const listed = manifests
    .filter((manifest) => wanted === undefined || isAbout(manifest, wanted))
    .filter((manifest) => flags.has('all') || manifest.counts === undefined || totalOf(manifest.counts) > 0)
    .slice(0, most)
    .map((manifest) => ({ manifest, isAlive: manifest.status === 'open' && store !== undefined && isAlive(store, manifest) }));
  if (flags.has('json')) {
    const documents = listed.map(({ manifest, isAlive: alive }) => ({
      ...sessionFields(manifest, {
        isAlive: alive,
        diskSize: store === undefined ? 0 : sessionBytes(store, manifest),
        clock: context.clock,
      }),
      counts: countFields(manifest),
    }));
    return { output: printJson(documents), exitCode: EXIT.ok };
  }
  const limit = flags.has('all') || recent !== undefined ? Number.POSITIVE_INFINITY : SESSIONS_SHOWN;
  return { output: renderList(listed, context, limit), exitCode: EXIT.ok };
}

function isAlive(store: RollbackStore, { id }: Manifest): boolean {
  using session = store.open(id);
  return session.isLive();
}

/** Whether the session tracks `path` or something in it. */
function isAbout(manifest: Manifest, path: Bytes): boolean {
  return manifest.roots.some((root) => isWithin(root.path, path) || isWithin(path, root.path));
}

function renderList(listed: readonly Listed[], context: Context, limit: number): string {
  const palette = createPalette(context.terminal.colourStdout);
  const projects = new Map<Bytes, Listed[]>();
  for (const item of listed) {
    const project = projects.get(item.manifest.workingDirectory) ?? [];
    project.push(item);
    projects.set(item.manifest.workingDirectory, project);
  }
  const lines = [`[nono] ${listed.length} session(s)`];
  for (const [project, sessions] of projects) {
    const name = displayBytes(tildePath(project, context.homeDirectory));
    lines.push(`${palette.strong(name)} (${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'})`);
    lines.push(...renderProject(sessions.slice(0, limit), context.clock.nowMs(), palette));
    if (sessions.length > limit) lines.push('  ...');
  }
  return `${lines.join('\n')}\n`;
}

function renderProject(sessions: readonly Listed[], nowMs: number, palette: Palette): string[] {
  const rows = sessions.map(({ manifest, isAlive: alive }) => ({
    id: manifest.id,
    age: formatAge(nowMs - manifest.startedMs),
    command: manifest.kind === 'restore' ? `restore of ${manifest.restores ?? ''}` : commandName(manifest),
    news: manifest.counts === undefined ? sessionStatus(manifest, alive) : newsOf(manifest, palette),
  }));
  const width = (pick: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => pick(row).length));
  const [idWidth, ageWidth, commandWidth] = [width(({ id }) => id), width(({ age }) => age), width(({ command }) => command)];
  return rows.map(({ id, age, command, news }) =>
    `  ${id.padEnd(idWidth)}  ${palette.faint(age.padEnd(ageWidth))}  ${command.padEnd(commandWidth)}  ${news}`.trimEnd(),
  );
}

function newsOf(manifest: Manifest, palette: Palette): string {
  if (manifest.counts === undefined) return '';
  const text = countsText(manifest.counts, palette) || 'no changes';
  return manifest.status === 'recovered' ? `${text} (recovered)` : text;
}

function commandName({ command }: Manifest): string {
  return displayBytes(baseName(command[0] ?? ('' as Bytes)));
}
