import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What is recorded: all that `wrap` does is done in one order, and most of it is what the other commands begin with. What those do after that depends on what
 * is ready first, and two builds would not be the same.
 */
const START = ['wrap', '--allow-cwd', '--', './cannot-start'];
/** Now and then a start does something more (it sweeps what others left): what not every one has used is left out. */
const TIMES = 10;
/** Lines about what other threads of the runtime may or may not have come to. */
const BY_CHANCE = /^K /;
const TIMEOUT_MS = 20_000;

/**
 * Finds out which functions a start uses, and in which order: the bundler then puts their bytecode together, and a start touches fewer pages.
 *
 * @param executable of this platform
 * @param scratch an empty directory
 * @returns the file for the bundler; undefined where nothing can be recorded.
 */
export function recordBytecodeOrder(executable, scratch) {
  const directory = join(scratch, 'work');
  mkdirSync(directory);
  // The command would take the place of what is recorded: execve(2) refuses an interpreter that nobody may execute.
  writeFileSync(join(directory, 'no-program'), '');
  writeFileSync(join(directory, 'cannot-start'), `#!${join(directory, 'no-program')}\n`, { mode: 0o755 });
  const recorded = join(directory, 'order');
  const [first, ...others] = Array.from({ length: TIMES }, () => record({ executable, directory, home: scratch, recorded }));
  rmSync(directory, { recursive: true });
  if (first === undefined || others.includes(undefined)) return undefined;
  const common = others.map((lines) => new Set(lines));
  const order = join(scratch, 'order');
  writeFileSync(order, first.filter((line) => !BY_CHANCE.test(line) && common.every((lines) => lines.has(line))).join('\n'));
  return order;
}

function record({ executable, directory, home, recorded }) {
  spawnSync(executable, START, {
    cwd: directory,
    env: { HOME: home, PATH: process.env.PATH, BUN_BYTECODE_ORDER_OUT: recorded },
    stdio: 'ignore',
    timeout: TIMEOUT_MS,
  });
  if (!existsSync(recorded)) return undefined;
  const lines = readFileSync(recorded, 'utf8').split('\n');
  rmSync(recorded);
  return lines;
}
