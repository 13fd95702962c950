// Records which functions the usual starts use, and in which order, into scripts/lib/starts.order: the bundler lays the bytecode out by that file
// (lib/bundle.mjs). Two recordings differ a little, two builds with one file do not, so the file is kept beside the sources. Functions are told by a hash of
// their syntax: a file that is older than they are still serves for those that have not changed.
//
//   npm run record-starts

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildExecutable } from './lib/compile.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ORDER = join(TOP, 'scripts/lib/starts.order');
/** The most usual one first. A program that cannot be executed: execve(2) would end the recording of `wrap`. */
const STARTS = [
  ['wrap', '--allow-cwd', '--', './cannot-start'],
  ['run', '--allow-cwd', '--', 'true'],
  ['run', '--detached', '--allow-cwd', '--', 'true'],
  ['ps', '--all'],
];
/** Now and then a start does something more (it sweeps what others left): what not every one has used is left out. */
const TIMES = 8;
const VERSION = /^v\d+$/;
/** Lines about what the build has and the run has not used. */
const UNUSED = /^K /;
const TIMEOUT_MS = 20_000;

const scratch = mkdtempSync(join(tmpdir(), 'nono-record-'));
try {
  const executable = join(scratch, 'nono');
  buildExecutable({ top: TOP, outfile: executable, order: null });
  writeFileSync(ORDER, `${recordAll(executable).join('\n')}\n`);
  console.log(`${ORDER} (${readFileSync(ORDER, 'utf8').split('\n').length - 1} lines)`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function recordAll(executable) {
  const place = join(scratch, 'work');
  mkdirSync(place);
  writeFileSync(join(place, 'no-program'), '');
  writeFileSync(join(place, 'cannot-start'), `#!${join(place, 'no-program')}\n`, { mode: 0o755 });
  return [...new Set(STARTS.flatMap((words) => recordStart(executable, words, place)))];
}

function recordStart(executable, words, place) {
  const [first, ...others] = Array.from({ length: TIMES }, () => record(executable, words, place));
  const common = others.map((lines) => new Set(lines));
  return first.filter((line) => !UNUSED.test(line) && common.every((lines) => lines.has(line)));
}

/** The lines of one recording. */
function record(executable, words, place) {
  const recorded = join(place, 'recorded');
  mkdirSync(recorded);
  spawnSync(executable, words, {
    cwd: place,
    env: { HOME: join(scratch, 'home'), PATH: env.PATH, BUN_BYTECODE_ORDER_OUT: join(recorded, '%p') },
    stdio: 'ignore',
    timeout: TIMEOUT_MS,
  });
  const files = readdirSync(recorded);
  if (files.length !== 1) throw new Error(`Expected one recording of \`nono ${words.join(' ')}\`, not ${files.length}`);
  const lines = readFileSync(join(recorded, files[0]), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  if (!VERSION.test(lines[0] ?? '')) throw new Error('The runtime records in a form that is not known here');
  rmSync(recorded, { recursive: true });
  return lines;
}
