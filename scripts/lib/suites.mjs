import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBun } from './bun.mjs';
import { TOP } from './prepare.mjs';

/** A suite that has not ended by then hangs. The tests' own limits are far below. */
const SUITE_TIMEOUT_MS = 10 * 60 * 1000;

/** A tool that says yes or no counts as one test. */
export function runCheck(command, words) {
  const succeeded = run(command, words);
  return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
}

/** One project of test/vitest.config.ts, under Node or under Bun. */
export function runVitest({ project, runtime = 'node' }) {
  const scratch = mkdtempSync(join(tmpdir(), 'nono-suite-'));
  try {
    const report = join(scratch, 'report.json');
    const words = ['run', '--config', 'test/vitest.config.ts', '--project', project, '--passWithNoTests'];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const vitest = ['node_modules/vitest/vitest.mjs', ...words, ...reporters];
    const succeeded = runtime === 'node' ? run(process.execPath, vitest) : run(findBun(TOP) ?? 'bun', ['--bun', ...vitest]);
    return countTests(report, succeeded);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A file that does not even load has no tests to count, and neither has a crash: each of them is one failure. */
function countTests(report, succeeded) {
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests, testResults } = readReport(report);
  const unloaded = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
  const failed = numFailedTests + unloaded.length;
  return { passed, failed: succeeded ? failed : Math.max(1, failed), skipped: numPendingTests + numTodoTests };
}

function readReport(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
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
