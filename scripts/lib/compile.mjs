import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { findBun } from './bun.mjs';
import { findPaths } from './find-paths.mjs';

/** What runs inside the executable: main.ts, then the entry file of each worker, which the bundler must be told of. */
const ENTRIES = ['src/main.ts', 'src/platform/bun/content-worker.ts'];

/** A promise to users: spec of the product, not of Bun. */
const MAX_SIZE_BYTES = 120_000_000;

const SCRATCH_PREFIX = '.build-';
const LEFTOVER_AGE_MS = 10 * 60 * 1000;

/** What is said without a stack: the message is for whoever builds. */
export class BuildError extends Error {}

/**
 * Compiles into a directory of its own and renames, so that nobody ever runs a half-written executable.
 *
 * @param runtime Bun for another platform (runtimes.mjs), with the name of that platform; without it, for this one
 * @throws {BuildError}
 */
export function buildExecutable({ top, outfile, runtime }) {
  const entries = ENTRIES.map((entry) => join(top, entry));
  const missing = entries.find((entry) => !existsSync(entry));
  if (missing !== undefined) throw new BuildError(`Cannot build: there is no ${missing}`);
  removeLeftovers(dirname(outfile));
  const begun = new Date();
  const scratch = mkdtempSync(join(dirname(outfile), SCRATCH_PREFIX));
  try {
    const made = join(scratch, 'nono');
    const options = JSON.stringify({ ...bundleOptions(top, runtime), outfile: made });
    // Longer than a word of a command line may be (MAX_ARG_STRLEN).
    runBun(top, [join(top, 'scripts/lib/bundle.mjs')], options);
    check(top, made);
    // A source that changes while we compile is newer than the executable: ./scripts/nono will build again.
    utimesSync(made, begun, begun);
    renameSync(made, outfile);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Runs a script; of what it cannot do only the message is said. */
export function runScript(main) {
  try {
    main();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** What a build that was killed has left; a directory this old belongs to none that is still running. */
function removeLeftovers(directory) {
  for (const name of readdirSync(directory).filter((entry) => entry.startsWith(SCRATCH_PREFIX))) {
    const path = join(directory, name);
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY);
    if (ageMs > LEFTOVER_AGE_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** @see bundle.mjs */
function bundleOptions(top, runtime) {
  return {
    top,
    entries: ENTRIES,
    define: {
      NONO_VERSION: JSON.stringify(readVersion(top)),
      NONO_COMMIT: JSON.stringify(readCommit(top)),
      ...codeImages(top, runtime?.name),
    },
    ...(runtime === undefined ? {} : { target: `bun-${runtime.name}`, executablePath: runtime.executable }),
    // Most of what nono does is over before optimized code pays: a start takes a fifth less. main.ts takes it back for the rest.
    jitPolicy: 100,
    // What is in the current directory may be hostile: none of it is configuration of the executable.
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
  };
}

/**
 * C of nono's own as machine code, where what compiles it (TinyCC, in bun) runs on the kind of machine that the executable is for. Where it does not,
 * the executable compiles it itself at each start. So does one for arm64: there TinyCC takes each address from a table of its own, which is in none
 * of the places that are copied (arm64_sym() of its arm64-gen.c).
 */
function codeImages(top, target = `${process.platform}-${process.arch}`) {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !target.startsWith('linux-x64')) return {};
  const images = JSON.parse(runBun(top, [join(top, 'scripts/lib/code-images.mjs')]));
  return Object.fromEntries(Object.entries(images).map(([name, image]) => [name, JSON.stringify(image)]));
}

/**
 * The npm packages that are bundled, by the bundler's own account.
 *
 * @returns names in alphabetical order
 */
export function bundledPackages(top) {
  const scratch = mkdtempSync(join(top, 'dist', SCRATCH_PREFIX));
  try {
    const metafile = join(scratch, 'meta.json');
    const words = ['build', '--target=bun', '--splitting', '--format=esm', `--outdir=${scratch}`, `--metafile=${metafile}`];
    runBun(top, [...words, ...ENTRIES.map((entry) => join(top, entry))]);
    const inputs = Object.keys(JSON.parse(readFileSync(metafile, 'utf8')).inputs);
    const names = inputs.map((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]);
    return [...new Set(names.filter((name) => name !== undefined))].sort();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runBun(top, words, input = '') {
  const bun = findBun(top);
  if (bun === undefined) throw new BuildError('Cannot build: the bun of node_modules does not run here, try `npm ci`');
  const { status, signal, stdout, stderr } = spawnSync(bun, words, { cwd: top, encoding: 'utf8', input });
  if (status !== 0) throw new BuildError(`${stdout}${stderr}\nCannot build: bun ended with ${signal ?? status}`);
  return stdout;
}

export function readVersion(top) {
  return JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')).version;
}

/** Empty outside a git work tree, such as in an unpacked archive. */
function readCommit(top) {
  try {
    const words = ['-C', top, 'rev-parse', '--short=10', 'HEAD'];
    return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** An executable that is too large, or that tells where it was built, never reaches its name. */
function check(top, file) {
  const sizeBytes = statSync(file).size;
  if (sizeBytes > MAX_SIZE_BYTES)
    throw new BuildError(`Cannot keep the executable: it has ${sizeBytes} bytes, at most ${MAX_SIZE_BYTES} are allowed`);
  const [found] = findPaths(file, [top, homedir()]);
  if (found !== undefined)
    throw new BuildError(`Cannot keep the executable: it contains the path of this machine ${JSON.stringify(found)}`);
}
