// Runs the suites and counts. The last line is the sum of all: `N passed, N failed, N skipped`.

import { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { runCheck, runVitest } from './lib/suites.mjs';
import { installTools } from './lib/tools.mjs';

/** In the order in which they run: what fails fast comes first. */
const SUITES = [
  { name: 'biome', quick: true, run: () => runCheck('node_modules/.bin/biome', ['check', '.']) },
  { name: 'types', quick: true, run: () => runCheck('node_modules/.bin/tsc', ['--noEmit']) },
  { name: 'oxlint', quick: true, run: () => runCheck('node_modules/.bin/oxlint', ['--type-aware', '--deny-warnings']) },
  { name: 'knip', quick: true, run: () => runCheck('node_modules/.bin/knip', []) },
  { name: 'unit', quick: true, run: () => runVitest({ project: 'unit' }) },
  { name: 'contract', quick: true, run: () => runVitest({ project: 'contract' }) },
  { name: 'laws', quick: false, run: () => runVitest({ project: 'laws' }) },
  { name: 'unit-bun', quick: false, run: () => runVitest({ project: 'unit', runtime: 'bun' }) },
  { name: 'contract-bun', quick: false, run: () => runVitest({ project: 'contract', runtime: 'bun' }) },
  { name: 'laws-bun', quick: false, run: () => runVitest({ project: 'laws', runtime: 'bun' }) },
  { name: 'build', quick: false, run: () => runCheck('node', ['scripts/build.mjs']) },
  { name: 'faults', quick: false, run: () => runVitest({ project: 'faults' }) },
  { name: 'e2e', quick: false, run: () => runVitest({ project: 'e2e' }) },
];

const { values, positionals } = parseArgs({
  args: argv.slice(2),
  options: { quick: { type: 'boolean' }, list: { type: 'boolean' } },
  allowPositionals: true,
});

if (values.list === true) {
  for (const { name, quick } of SUITES) stdout.write(`${name}${quick ? ' (quick)' : ''}\n`);
} else {
  process.exitCode = await runSuites(choose());
}

function choose() {
  const names = SUITES.map(({ name }) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`Cannot run "${unknown}": the suites are ${names.join(', ')}`);
  if (positionals.length > 0) return SUITES.filter(({ name }) => positionals.includes(name));
  return values.quick === true ? SUITES.filter(({ quick }) => quick) : SUITES;
}

async function runSuites(suites) {
  await prepare({ build: false, announce: (line) => stdout.write(`== ${line}\n`) });
  for (const line of installTools()) stdout.write(`== ${line}\n`);
  const rows = [];
  for (const { name, run } of suites) {
    stdout.write(`== ${name}\n`);
    const begunMs = performance.now();
    const counts = run();
    rows.push({ name, ...counts, seconds: (performance.now() - begunMs) / 1000 });
  }
  const width = Math.max(...rows.map(({ name }) => name.length));
  stdout.write('\n');
  for (const { name, seconds, ...counts } of rows) {
    stdout.write(`${name.padEnd(width)}: ${describe(counts)} (${seconds.toFixed(1)} s)\n`);
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  stdout.write(`\n${describe(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
