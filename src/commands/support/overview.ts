import { displayBytes } from '../../bytes.ts';
import { EXIT, NonoError } from '../../errors.ts';
import { tildePath } from '../../paths.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import { isReviewed } from '../../rollback/reviewed.ts';
import type { Session } from '../../session/sessions.ts';
import { formatAge, formatDuration } from '../../time.ts';
import { countsText, totalOf } from '../../ui/change-lines.ts';
import { createPalette, type Palette } from '../../ui/palette.ts';
import { renderTable } from '../../ui/table.ts';
import { fitEnd } from '../../ui/width.ts';
import type { Context } from '../context.ts';
import { openStore } from '../rollback/open-store.ts';
import { shown, shownCommand } from '../session/documents.ts';
import { openSessions } from '../session/open-sessions.ts';
import type { CommandResult } from '../spec.ts';

/** More than a glance is what `nono ps` and `nono rollback list` are for. */
const MOST_SHOWN = 5;
/** Where nobody has looked at any, the older ones are not asked about either. */
const MOST_ASKED = 20;
const NEXT_STEPS = 3;

type Step = readonly [command: string, what: string];

/** What `nono` alone shows: what runs, what nobody has looked at, and the three next things to type. */
export async function overview(context: Context): Promise<CommandResult> {
  const palette = createPalette(context.terminal.colourStdout);
  const live = (await liveSessions(context)).reverse();
  const unseen = unreviewed(context);
  const sections = [runningSection(live, context, palette), unreviewedSection(unseen, context, palette)];
  const steps = nextSteps(live, unseen).slice(0, NEXT_STEPS);
  const next = `${palette.strong('Next:')}\n${renderTable(steps.map(([command, what]) => [`  ${command}`, what]))}`;
  return { output: [...sections, next].filter((section) => section !== '').join('\n'), exitCode: EXIT.ok };
}

/** Nothing that is wrong with the state keeps the first page from being shown. */
async function liveSessions(context: Context): Promise<Session[]> {
  try {
    return (await openSessions(context)).sessions.filter(({ isLive }) => isLive);
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    context.notify(`${error.message}; see \`nono doctor\``);
    return [];
  }
}

function unreviewed(context: Context): Manifest[] {
  try {
    const { store, manifests } = openStore(context);
    const candidates = manifests.filter(({ kind, counts }) => kind === 'run' && counts !== undefined && totalOf(counts) > 0);
    return candidates.slice(0, MOST_ASKED).filter(({ id }) => {
      using directory = store?.openDirectory(id);
      return directory !== undefined && !isReviewed(directory);
    });
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    return [];
  }
}

function runningSection(live: readonly Session[], { clock, terminal }: Context, palette: Palette): string {
  if (live.length === 0) return 'Nothing is running.\n';
  const nowMs = clock.nowMs();
  const rows = live.slice(0, MOST_SHOWN).map((session) => {
    const { record, status } = session;
    const waiting = record.pending_approvals > 0 ? [`${record.pending_approvals} waiting for an answer`] : [];
    return [
      `  ${record.session_id}`,
      shown(record.name),
      [status, record.attachment, ...waiting].join(', '),
      formatDuration(nowMs - Date.parse(record.started)),
      shownCommand(session),
    ];
  });
  return `${palette.strong('Running:')}\n${cut(rows, terminal)}${rest(live.length, 'nono ps')}`;
}

function unreviewedSection(
  manifests: readonly Manifest[],
  { clock, homeDirectory, terminal }: Context,
  palette: Palette,
): string {
  if (manifests.length === 0) return '';
  const nowMs = clock.nowMs();
  const rows = manifests
    .slice(0, MOST_SHOWN)
    .map(({ id, startedMs, workingDirectory, counts }) => [
      `  ${id}`,
      formatAge(nowMs - startedMs),
      displayBytes(tildePath(workingDirectory, homeDirectory)),
      counts === undefined ? '' : countsText(counts, createPalette(false)),
    ]);
  return `${palette.strong('Not reviewed:')}\n${cut(rows, terminal)}${rest(manifests.length, 'nono rollback list')}`;
}

function cut(rows: readonly (readonly string[])[], { isStdoutTerminal, columns }: Context['terminal']): string {
  const table = renderTable(rows);
  if (!isStdoutTerminal) return table;
  return table
    .split('\n')
    .map((line) => fitEnd(line, columns))
    .join('\n');
}

function rest(count: number, command: string): string {
  return count > MOST_SHOWN ? `  and ${count - MOST_SHOWN} more: ${command}\n` : '';
}

/** The most useful first. */
function nextSteps(live: readonly Session[], unseen: readonly Manifest[]): Step[] {
  const steps: Step[] = [];
  const joinable = live.find(({ record }) => record.terminal && record.attachment === 'detached');
  if (joinable !== undefined) steps.push([`nono attach ${shown(joinable.record.name)}`, 'join it; Ctrl-] d leaves it again']);
  const [newest] = unseen;
  if (newest !== undefined)
    steps.push([`nono rollback review ${newest.id}`, 'look through what it changed, undo what you do not want']);
  steps.push(['nono run --rollback --allow-cwd -- COMMAND', 'run something that can be undone']);
  if (live.length === 0 && newest === undefined) steps.push(['nono doctor', 'see whether all that nono needs is here']);
  steps.push(['nono help', 'every command'], ['nono ps --all', 'what has run']);
  return steps;
}
