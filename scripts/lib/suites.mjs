import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBun } from './bun.mjs';
import { TOP } from './prepare.mjs';

/** What runs together and has not ended by then hangs. The tests' own limits are far below. */
const SUITE_TIMEOUT_MS = 40 * 60 * 1000 * Math.max(1, Number(process.env.NONO_EFFORT ?? 1));

/** A tool that says yes or no counts as one test. */
export function runCheck([command, ...words]) {
  const begunMs = performance.now();
  const succeeded = run(command, words);
  return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0, seconds: (performance.now() - begunMs) / 1000 };
}

/**
 * Projects of test/vitest.config.ts together, under Node or under Bun, so that no core waits for the last file of each.
 *
 * @param files Of them only these; all without any.
 * @returns the counts of each in their order, with the seconds that its files took, added up
 */
export function runVitest({ projects, runtime, files: only = [] }) {
  const scratch = mkdtempSync(join(tmpdir(), 'nono-suite-'));
  try {
    const report = join(scratch, 'report.json');
    const words = ['run', '--config', 'test/vitest.config.ts', ...projects.flatMap((project) => ['--project', project]), ...only];
    const reporters = ['--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const vitest = ['node_modules/vitest/vitest.mjs', ...words, ...reporters];
    const succeeded = runtime === 'node' ? run(process.execPath, vitest) : run(findBun(TOP) ?? 'bun', ['--bun', ...vitest]);
    const files = readReport(report);
    const counts = projects.map((project) =>
      countTests(files.filter(({ name }) => name.startsWith(join(TOP, 'test', project, '/')))),
    );
    const isExplained = succeeded || counts.some(({ failed }) => failed > 0);
    return isExplained ? counts : counts.map((count, index) => (index === 0 ? { ...count, failed: 1 } : count));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A file that does not even load has no tests to count: it is one failure, as a crash of all is. */
function countTests(files) {
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const having = (...states) => tests.filter(({ status }) => states.includes(status)).length;
  const unloaded = files.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
  const seconds = files.reduce((sum, { startTime, endTime }) => sum + (endTime - startTime) / 1000, 0);
  return {
    passed: having('passed'),
    failed: having('failed') + unloaded.length,
    skipped: having('pending', 'skipped', 'todo', 'disabled'),
    seconds,
  };
}

/** The files that ran; none when there is no report. */
function readReport(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return [];
  }
}

/** What it prints goes where ours goes. */
function run(command, words) {
  const { status, signal, error } = spawnSync(command, words, {
    cwd: TOP,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: SUITE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (error !== undefined) console.log(`Cannot run "${command}": ${error.message}`);
  else if (signal !== null) console.log(`"${command}" was ended by ${signal}`);
  return status === 0;
}
