import { type Bytes, displayBytes } from '../../bytes.ts';
import { tildePath } from '../../paths.ts';
import { compareTrees, countChanges, countedChanges } from '../../rollback/compare.ts';
import { DeltaCounter } from '../../rollback/delta-stat.ts';
import { formatTimestamp } from '../../time.ts';
import { countsText } from '../../ui/change-lines.ts';
import { type HtmlFile, type HtmlReport, renderHtmlReport } from '../../ui/html-report.ts';
import { HTML_STYLE } from '../../ui/html-style.ts';
import { createPalette } from '../../ui/palette.ts';
import type { Context } from '../context.ts';
import { sessionStatus } from './documents.ts';
import type { SessionView } from './session-view.ts';

const PLAIN = createPalette(false);

/** The page in pieces. */
export function* exportHtml(view: SessionView, context: Context): Generator<Uint8Array> {
  for (const piece of renderHtmlReport(describe(view, context))) yield Buffer.from(piece);
}

function describe(view: SessionView, context: Context): HtmlReport {
  const { manifest, session, state, changes, roots } = view;
  const { clock, hash, homeDirectory } = context;
  const time = (epochMs: number) => formatTimestamp(epochMs, clock.utcOffsetMinutes(epochMs));
  const show = (path: Bytes) => displayBytes(tildePath(path, homeDirectory));
  const ended = manifest.endedMs === undefined ? '' : `, ended ${time(manifest.endedMs)}`;
  const exit = manifest.exitCode === undefined ? '' : ` with ${manifest.exitCode}`;
  return {
    title: `What ${displayBytes(session.id)} changed`,
    facts: [
      ['Command', manifest.command.map((word) => displayBytes(word)).join(' ')],
      ['Directory', show(manifest.workingDirectory)],
      ['Tracked', roots.map(show).join(', ')],
      ['Started', `${time(manifest.startedMs)}${ended}`],
      ['Status', `${sessionStatus(manifest, { isAlive: state.isLive, isUnknown: state.isUnknown })}${exit}`],
      ['Changed', countsText(countChanges(changes), PLAIN) || 'nothing'],
    ],
    timeline: manifest.snapshots.map(({ number, takenMs, label }) => ({
      time: time(takenMs),
      label: displayBytes(label as Bytes),
      counts: number === 0 ? '' : snapshotCounts(view, number),
    })),
    files: filesOf(view),
    traps: view.traps,
    git: view.git,
    styleHash: Buffer.from(hash.sha256(Buffer.from(HTML_STYLE)), 'latin1').toString('base64'),
  };
}

function snapshotCounts({ session, manifest }: SessionView, number: number): string {
  const counts = countChanges(compareTrees(session.tree(manifest, number - 1), session.tree(manifest, number)));
  return countsText(counts, PLAIN) || 'no changes';
}

function filesOf({ changes, deltas, nameOf }: SessionView): HtmlFile[] {
  const byPath = new Map(deltas.map((delta) => [delta.path, delta]));
  const moved = new Set(deltas.flatMap(({ renamedFrom }) => renamedFrom?.path ?? []));
  const counter = new DeltaCounter();
  return countedChanges(changes)
    .filter(({ path }) => !moved.has(path))
    .map((change) => {
      const delta = byPath.get(change.path);
      const stat = delta === undefined ? undefined : counter.count(delta);
      return { mark: change.type, name: nameOf(change), stat, delta };
    });
}
