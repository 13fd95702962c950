// Runs the suites and counts. The last line is the sum of all: `N passed, N failed, N skipped`.

import { argv, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { runCheck, runVitest } from './lib/suites.mjs';
import { installTools } from './lib/tools.mjs';

/** In the order in which they run: what fails fast comes first. Neighbours of one runtime run together. */
const SUITES = [
  { name: 'biome', quick: true, check: ['node_modules/.bin/biome', 'check', '.'] },
  { name: 'types', quick: true, check: ['node_modules/.bin/tsc', '--noEmit'] },
  { name: 'oxlint', quick: true, check: ['node_modules/.bin/oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'knip', quick: true, check: ['node_modules/.bin/knip'] },
  { name: 'unit', quick: true, runtime: 'node', project: 'unit' },
  { name: 'contract', quick: true, runtime: 'node', project: 'contract' },
  { name: 'laws', quick: false, runtime: 'node', project: 'laws' },
  { name: 'unit-bun', quick: false, runtime: 'bun', project: 'unit' },
  { name: 'contract-bun', quick: false, runtime: 'bun', project: 'contract' },
  { name: 'laws-bun', quick: false, runtime: 'bun', project: 'laws' },
  { name: 'build', quick: false, check: ['node', 'scripts/build.mjs'] },
  { name: 'faults', quick: false, runtime: 'node', project: 'faults' },
  { name: 'e2e', quick: false, runtime: 'node', project: 'e2e' },
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
  const begunMs = performance.now();
  const rows = [];
  for (const group of groupsOf(suites)) {
    stdout.write(`== ${group.map(({ name }) => name).join(' ')}\n`);
    const counts = runGroup(group);
    rows.push(...group.map(({ name }, index) => ({ name, ...counts[index] })));
  }
  const width = Math.max(...rows.map(({ name }) => name.length));
  stdout.write('\n');
  for (const { name, seconds, ...counts } of rows) {
    stdout.write(`${name.padEnd(width)}: ${describe(counts)} (${seconds.toFixed(1)} s of its files)\n`);
  }
  stdout.write(`\nall together: ${((performance.now() - begunMs) / 1000).toFixed(1)} s\n`);
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  stdout.write(`${describe(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

/** Suites that one vitest can run side by side; anything else alone. */
function groupsOf(suites) {
  const groups = [];
  for (const suite of suites) {
    const last = groups.at(-1);
    if (suite.runtime !== undefined && last?.[0].runtime === suite.runtime) last.push(suite);
    else groups.push([suite]);
  }
  return groups;
}

function runGroup(group) {
  const [{ check, runtime }] = group;
  return check === undefined ? runVitest({ projects: group.map(({ project }) => project), runtime }) : [runCheck(check)];
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
