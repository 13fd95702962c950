// Measures dist/nono beside other tools on this machine and prints a table; see scripts/bench/rows.mjs.
//
//   npm run bench [-- --json] [-- --quick] [-- ROW…]

import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, env, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { ENGINE_ROWS } from './bench/engine-rows.mjs';
import { BenchFailure } from './bench/measure.mjs';
import { MEDIATION_ROWS } from './bench/mediation-rows.mjs';
import { canHaveOwnTmp, isTmpfs, runWithOwnTmp } from './bench/own-tmp.mjs';
import { ROWS } from './bench/rows.mjs';
import { SESSION_ROWS } from './bench/session-rows.mjs';
import { START_ROWS } from './bench/start-rows.mjs';
import { STORE_ROWS } from './bench/store-rows.mjs';
import { TERMINAL_ROWS } from './bench/terminal-rows.mjs';
import { makeTree } from './bench/tree.mjs';
import { TOP } from './lib/prepare.mjs';
import { hasCommand } from './lib/tools.mjs';

const ALL_ROWS = [...START_ROWS, ...ROWS, ...SESSION_ROWS, ...TERMINAL_ROWS, ...MEDIATION_ROWS, ...ENGINE_ROWS, ...STORE_ROWS];

/** A tmpfs: what is measured is nono and its peers, not a disk. */
const FAST_DIRECTORY = '/dev/shm';
/** The tree, its store, a copy, and room for a failed run. */
const NEEDED_BYTES = 12e9;

const { values, positionals } = parseArgs({
  args: argv.slice(2),
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' } },
  allowPositionals: true,
});

const nono = join(TOP, 'dist', 'nono');
if (!existsSync(nono)) {
  stderr.write('Cannot measure: there is no dist/nono, make it with `npm run build`\n');
  process.exitCode = 1;
} else if (canHaveOwnTmp(TOP)) process.exitCode = runWithOwnTmp();
else await runBench();

/** A row's whole name stands for it alone, a part of one for all that have it. */
function chooseRows(words) {
  if (words.length === 0) return ALL_ROWS;
  const names = ALL_ROWS.map(({ name }) => name);
  return ALL_ROWS.filter(({ name }) => words.some((word) => (names.includes(word) ? name === word : name.includes(word))));
}

async function runBench() {
  const scratch = mkdtempSync(join(existsSync(FAST_DIRECTORY) ? FAST_DIRECTORY : tmpdir(), 'nono-bench-'));
  try {
    const rows = chooseRows(positionals);
    const bench = prepareBench(scratch, rows);
    const results = [];
    for (const row of rows) results.push(await measureRow(row, bench));
    stdout.write(
      values.json === true ? `${JSON.stringify(describeRun(bench, results), null, 2)}\n` : formatTable(bench, results),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function prepareBench(scratch, rows) {
  const home = join(scratch, 'home');
  const empty = join(scratch, 'empty');
  const tree = join(scratch, 'tree');
  for (const directory of [home, empty, tree]) mkdirSync(directory);
  const { bavail, bsize } = statfsSync(scratch);
  const withoutTree = ['bwrap', 'without nono', 'a filter that allows all', 'limit'];
  const needsTree = rows.some(({ peer, needsTree: wantsTree = true }) => wantsTree && !withoutTree.includes(peer));
  if (needsTree && bavail * bsize < NEEDED_BYTES)
    throw new Error(`Cannot measure: ${scratch} has less than ${NEEDED_BYTES / 1e9} GB free`);
  if (needsTree) stderr.write('making the tree …\n');
  const { paths, totalBytes } = needsTree ? makeTree(tree) : { paths: [], totalBytes: 0 };
  const environment = { HOME: home, PATH: env.PATH, LANG: 'C.UTF-8' };
  return {
    nono,
    scratch,
    tree,
    paths,
    totalBytes,
    state: join(home, '.nono'),
    place: { cwd: empty, environment },
    startRuns: values.quick === true ? 3 : 21,
    treeRuns: values.quick === true ? 2 : 5,
  };
}

/** A row that cannot be measured gives its reason and does not stop the others. */
async function measureRow({ name, peer, command, installed = '', budget, limit, extra, unit = 'ms', measure }, bench) {
  stderr.write(`${name} …\n`);
  const hasPeer = hasCommand(command);
  const row = { name, peer, budget, limit, extra };
  try {
    const { ownMs, peerMs } = await measure({ ...bench, hasPeer });
    const ratio = peerMs === undefined ? undefined : ownMs / peerMs;
    return {
      ...row,
      unit,
      own: round(ownMs),
      peer_figure: round(peerMs),
      ratio: round(ratio),
      verdict: judge({ own: ownMs, peer: peerMs, ratio, budget, limit, extra, command, installed }),
    };
  } catch (error) {
    if (!(error instanceof BenchFailure)) throw error;
    return { ...row, verdict: error.message };
  }
}

function judge({ own, peer, ratio, budget, limit, extra, command, installed }) {
  if (limit !== undefined) return own <= limit ? 'ok' : 'over';
  if (ratio === undefined) return `no ${command} here${installed && `: ${installed}`}`;
  if (extra !== undefined) return own - peer <= extra ? 'ok' : 'over';
  if (budget === undefined) return 'reported';
  return ratio <= budget ? 'ok' : 'over';
}

function round(number) {
  return number === undefined ? undefined : Number(number.toPrecision(3));
}

function describeRun({ paths, totalBytes, scratch }, rows) {
  const machine = {
    kernel: release(),
    cores: availableParallelism(),
    tmpfs: scratch.startsWith(FAST_DIRECTORY),
    tmpfs_tmp: isTmpfs('/tmp'),
  };
  return { format: 1, machine, tree: { files: paths.length, bytes: totalBytes }, rows };
}

function formatTable(bench, results) {
  const { machine, tree } = describeRun(bench, results);
  const cells = results.map(({ name, unit, own, peer, peer_figure: peerFigure, ratio, budget, limit, extra, verdict }) => [
    name,
    show(own, ` ${unit}`),
    peer,
    show(peerFigure, ` ${unit}`),
    show(ratio, '×'),
    extra === undefined ? (limit === undefined ? show(budget, '×') : show(limit, ` ${unit}`)) : `+${show(extra, ` ${unit}`)}`,
    verdict,
  ]);
  const lines = [['row', 'nono', 'peer', 'peer took', 'ratio', 'budget', ''], ...cells];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const isText = (column) => column === 0 || column === 2 || column === 6;
  const table = lines.map((line) =>
    line
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
  const treeText = tree.files === 0 ? '' : `; tree of ${tree.files} files, ${(tree.bytes / 1e6).toFixed(1)} MB`;
  return `Linux ${machine.kernel}, ${machine.cores} cores${machine.tmpfs ? `, on a tmpfs${machine.tmpfs_tmp ? '' : ' but for TMPDIR'}` : ''}${treeText}; medians\n\n${table.join('\n')}\n`;
}

function show(number, unit) {
  return number === undefined ? '-' : `${number}${unit}`;
}
