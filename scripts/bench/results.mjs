// Writes what several runs of the bench gave as one table with their spread:
//
//   npm run -s bench -- --json > 1.json    (and so on, on a machine that does nothing else)
//   npm run -s bench:results -- 1.json 2.json 3.json > test/bench/RESULTS.md

import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import { median } from './measure.mjs';

const runs = argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
for (const run of runs) run.rows = run.rows.map(withLimit);
if (runs.length === 0) throw new Error('Name the documents that `npm run bench -- --json` wrote');
const [{ machine, tree, rows }] = runs;
const header = ['row', 'nono', 'peer', 'peer took', 'ratio or figure of each run', 'median', 'budget', ''];
const lines = [header, header.map(() => '---'), ...rows.map((_, at) => line(runs.map(({ rows: all }) => all[at])))];

stdout.write(`# Results of the bench

${runs.length} runs of \`npm run bench -- --json\`, one after the other, with nothing heavy beside them: Linux ${machine.kernel.replace(/-.*/, '')}, ${machine.cores} cores${machine.tmpfs ? ', on a tmpfs' : ''}; tree of ${tree.files} files, ${(tree.bytes / 1e6).toFixed(1)} MB.
Each figure is the median of its run. A row with a peer is judged by the ratio, one with "+" by the difference, one with a limit by the figure itself. The last column counts
the runs within the budget. The figures of nono and its peer are those of the run in the middle.

${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`);

/** What the runs say of one row. */
function line(all) {
  const { name, peer, unit, budget, limit, extra } = all[0];
  const judged = all.map((row) => judgedBy(row));
  const known = judged.filter((figure) => figure !== undefined);
  if (known.length === 0) return [name, '-', peer, '-', '-', '-', '-', all[0].verdict];
  const middle = median(known);
  const typical = all[judged.indexOf(known.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0])];
  const suffix = limit === undefined && extra === undefined && typical.ratio !== undefined ? '×' : ` ${unit}`;
  const allowed = limit ?? extra ?? budget;
  const isLimited = allowed !== undefined;
  return [
    name,
    `${typical.own} ${unit}`,
    peer,
    typical.peer_figure === undefined ? '-' : `${typical.peer_figure} ${unit}`,
    known.map((figure) => short(figure)).join(', '),
    `${short(middle)}${suffix}`,
    isLimited ? `${extra === undefined ? '' : '+'}${allowed}${suffix}` : '-',
    isLimited ? `${known.filter((figure) => figure <= allowed).length} of ${all.length}` : 'reported',
  ];
}

/** A bound that stands where others have a peer is a limit of the figure itself. */
function withLimit(row) {
  return row.peer === 'limit' ? { ...row, peer: '-', limit: row.peer_figure, peer_figure: undefined, ratio: undefined } : row;
}

function judgedBy({ own, peer_figure: peerFigure, ratio, limit, extra }) {
  if (limit !== undefined) return own;
  return extra === undefined ? (ratio ?? own) : own - peerFigure;
}

function short(number) {
  return String(Number(number.toPrecision(3)));
}
