// Builds dist/nono, the executable for this platform; with --all one for each platform that nono supports.
//
//   node scripts/build.mjs [--all] [--outfile FILE]

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBun } from './lib/bun.mjs';
import { findPaths } from './lib/find-paths.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** What runs inside the executable: main.ts, then the entry file of each worker, which the bundler must be told of. */
const ENTRIES = ['src/main.ts', 'src/platform/bun/content-worker.ts', 'src/platform/bun/sync-worker.ts'];

/** Name after `bun-` on the command line of bun, and after `nono-` in dist. */
const ALL_TARGETS = [
  'linux-x64',
  'linux-x64-baseline',
  'linux-x64-musl',
  'linux-arm64',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
];

/** A promise to users: spec of the product, not of Bun. */
const MAX_SIZE_BYTES = 120_000_000;

const SCRATCH_PREFIX = '.build-';
const LEFTOVER_AGE_MS = 10 * 60 * 1000;

class BuildError extends Error {}

try {
  main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function main() {
  const { values } = parseArgs({
    options: { all: { type: 'boolean' }, outfile: { type: 'string' } },
  });
  const entries = ENTRIES.map((entry) => join(TOP, entry));
  const missing = entries.find((entry) => !existsSync(entry));
  if (missing !== undefined) fail(`Cannot build: there is no ${missing}`);
  const dist = join(TOP, 'dist');
  mkdirSync(dist, { recursive: true });
  removeLeftovers(dist);
  if (values.all !== true) {
    buildOne({ entries, target: undefined, outfile: resolve(values.outfile ?? join(dist, 'nono')) });
    return;
  }
  for (const target of ALL_TARGETS) buildOne({ entries, target, outfile: join(dist, `nono-${target}`) });
}

/** What a build that was killed has left; a directory this old belongs to none that is still running. */
function removeLeftovers(dist) {
  for (const name of readdirSync(dist).filter((entry) => entry.startsWith(SCRATCH_PREFIX))) {
    const path = join(dist, name);
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY);
    if (ageMs > LEFTOVER_AGE_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Compiles into a directory of its own and renames, so that nobody ever runs a half-written executable. */
function buildOne({ entries, target, outfile }) {
  const begun = new Date();
  const scratch = mkdtempSync(join(dirname(outfile), SCRATCH_PREFIX));
  try {
    const made = join(scratch, 'nono');
    compile({ entries, target, outfile: made });
    check(made);
    // A source that changes while we compile is newer than the executable: ./scripts/nono will build again.
    utimesSync(made, begun, begun);
    renameSync(made, outfile);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const megabytes = (statSync(outfile).size / 1e6).toFixed(1);
  console.log(`${outfile} (${megabytes} MB)`);
}

function compile({ entries, target, outfile }) {
  const bun = findBun(TOP) ?? fail('Cannot build: the bun of node_modules does not run here, try `npm ci`');
  const { version } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8'));
  const words = [
    'build',
    '--compile',
    // Each verb becomes a chunk of its own, which is read only when it is imported.
    '--splitting',
    '--bytecode',
    '--format=esm',
    '--minify',
    '--sourcemap=none',
    // Most of what nono does is over before optimized code pays: a start takes a fifth less. main.ts takes it back for the rest.
    '--compile-jit-policy=100',
    // What is in the current directory may be hostile: none of it is configuration of the executable.
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--no-compile-autoload-tsconfig',
    '--no-compile-autoload-package-json',
    '--define',
    `NONO_VERSION=${JSON.stringify(version)}`,
    '--define',
    `NONO_COMMIT=${JSON.stringify(commit())}`,
    ...codeImages(bun, target),
    ...(target === undefined ? [] : [`--target=bun-${target}`]),
    '--outfile',
    outfile,
    ...entries,
  ];
  const { status, signal, stdout, stderr } = spawnSync(bun, words, {
    cwd: TOP,
    encoding: 'utf8',
  });
  if (status !== 0) fail(`${stdout}${stderr}\nCannot build ${target ?? 'nono'}: bun ended with ${signal ?? status}`);
}

/**
 * C of nono's own as machine code, where what compiles it (TinyCC, in bun) runs on the kind of machine that the executable is for. Where it does not,
 * the executable compiles it itself at each start.
 */
function codeImages(bun, target = `${process.platform}-${process.arch}`) {
  if (process.platform !== 'linux' || !target.startsWith(`linux-${process.arch}`)) return [];
  const images = JSON.parse(execFileSync(bun, [join(TOP, 'scripts/lib/code-images.mjs')], { encoding: 'utf8', cwd: TOP }));
  return Object.entries(images).flatMap(([name, image]) => ['--define', `${name}=${JSON.stringify(image)}`]);
}

/** Empty outside a git work tree, such as in an unpacked archive. */
function commit() {
  try {
    const words = ['-C', TOP, 'rev-parse', '--short=10', 'HEAD'];
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** An executable that is too large, or that tells where it was built, never reaches its name. */
function check(file) {
  const sizeBytes = statSync(file).size;
  if (sizeBytes > MAX_SIZE_BYTES)
    fail(`Cannot keep the executable: it has ${sizeBytes} bytes, at most ${MAX_SIZE_BYTES} are allowed`);
  const [found] = findPaths(file, [TOP, homedir()]);
  if (found !== undefined) fail(`Cannot keep the executable: it contains the path of this machine ${JSON.stringify(found)}`);
}

function fail(message) {
  throw new BuildError(message);
}
