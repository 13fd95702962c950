import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBun } from './bun.mjs';

/** Where the packages are kept between builds, below dist. */
const CACHE = '.runtimes';

/**
 * The Bun executable that stands inside the executable for `target`, out of its npm package.
 *
 * npm is told nothing but name and version, so it uses the registry, the proxy and the cache of whoever builds. What it
 * brings is believed by its checksum alone.
 *
 * @returns the path of the executable, and its SHA-256 in hex
 * @throws {Error} that says what npm said, or which checksum came
 */
export function fetchRuntime({ top, target, version }) {
  const installed = installedRuntime({ top, target, version });
  if (installed !== undefined) return describe(installed, readFileSync(installed));
  const cache = join(top, 'dist', CACHE);
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${target.runtime.replace('@oven/', '')}-${version}.tgz`);
  if (!existsSync(file) || integrityOf(file) !== target.integrity) download({ target, version, cache, file });
  const executable = file.replace(/\.tgz$/, '');
  const bytes = unpack(file);
  if (!existsSync(executable) || !readFileSync(executable).equals(bytes)) writeWhole(executable, bytes);
  return describe(executable, bytes);
}

function describe(executable, bytes) {
  return { executable, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The one that builds, where it is for this very platform: npm has compared it with the lock when it was installed. */
function installedRuntime({ top, target, version }) {
  const isMusl = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined;
  if (target.name !== `${process.platform}-${process.arch}${isMusl ? '-musl' : ''}`) return undefined;
  const description = join(top, 'node_modules', 'bun', 'package.json');
  if (!existsSync(description) || JSON.parse(readFileSync(description, 'utf8')).version !== version) return undefined;
  return findBun(top);
}

function download({ target, version, cache, file }) {
  const scratch = mkdtempSync(join(cache, '.fetch-'));
  try {
    const words = ['pack', `${target.runtime}@${version}`, '--pack-destination', scratch, '--json', '--loglevel=error'];
    const { status, error, stdout, stderr } = spawnSync('npm', words, { cwd: scratch, encoding: 'utf8' });
    if (status !== 0) throw new Error(`Cannot fetch ${target.runtime}@${version}: ${error?.message ?? stderr.trim()}`);
    const got = join(scratch, JSON.parse(stdout)[0].filename);
    const integrity = integrityOf(got);
    if (integrity !== target.integrity)
      throw new Error(`Cannot use ${target.runtime}@${version}: its checksum is ${integrity}, expected ${target.integrity}`);
    renameSync(got, file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function integrityOf(file) {
  return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
}

/** The one file of the package that matters. */
function unpack(file) {
  const { status, stdout, stderr } = spawnSync('tar', ['-xzOf', file, 'package/bin/bun'], { maxBuffer: 512 * 1024 * 1024 });
  if (status !== 0) throw new Error(`Cannot unpack "${file}": ${stderr.toString().trim()}`);
  return stdout;
}

/** By a rename: another build may read it at the same time. */
function writeWhole(path, bytes) {
  const scratch = `${path}.${process.pid}`;
  writeFileSync(scratch, bytes, { mode: 0o755 });
  renameSync(scratch, path);
}
