// Makes node_modules and dist/nono what the sources say. As a program: says so in one line on stderr.

import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { argv, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';

export const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** npm writes it last, so it is there only after a complete installation. */
const INSTALLED_MARK = join(TOP, 'node_modules', '.package-lock.json');
const EXECUTABLE = join(TOP, 'dist', 'nono');

/**
 * Installs and builds what is missing or out of date, alone among all that try at the same time.
 *
 * @param announce called once with one line, before the first step that takes long
 * @throws {Error} whose message is what npm or the build printed
 */
export async function prepare({ build, announce }) {
  mkdirSync(join(TOP, 'dist'), { recursive: true });
  await withLock(join(TOP, 'dist', '.prepare.lock'), () => {
    const needsInstall = !isInstalled();
    const needsBuild = build && !isBuilt();
    if (!needsInstall && !needsBuild) return;
    announce(`${[needsInstall ? 'installing what it uses' : '', needsBuild ? 'building' : ''].filter(Boolean).join(', ')} …`);
    if (needsInstall) run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (needsBuild) run(process.execPath, [join(TOP, 'scripts', 'build.mjs')]);
  });
}

/** A node_modules that is a link belongs to another checkout: `npm ci` would empty that one. */
function isInstalled() {
  const isBorrowed = lstatSync(join(TOP, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isBorrowed && modifiedMs(INSTALLED_MARK) > 0) return true;
  return modifiedMs(INSTALLED_MARK) >= modifiedMs(join(TOP, 'package-lock.json'));
}

/** build.mjs gives the executable the time when the build began: a source changed meanwhile counts as newer. */
function isBuilt() {
  const sources = ['src', 'package.json', 'package-lock.json', 'scripts/build.mjs'];
  return Math.max(...sources.map((source) => newestMs(join(TOP, source)))) <= modifiedMs(EXECUTABLE);
}

function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

/** -1 when there is no such file. */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1;
}

function run(command, words) {
  const {
    status,
    error,
    stdout,
    stderr: errors,
  } = spawnSync(command, words, {
    cwd: TOP,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === 0) return;
  const [name] = words;
  throw new Error(
    `${stdout ?? ''}${errors ?? ''}Cannot prepare nono: "${command} ${name}" failed${error === undefined ? '' : `: ${error.message}`}`,
  );
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await prepare({ build: true, announce: (line) => stderr.write(`[nono] from source: ${line}\n`) });
  } catch (error) {
    stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
