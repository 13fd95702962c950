// Makes what is released, in dist: an archive for each platform, SHA256SUMS, the list of what is inside, install.sh and nono.rb.
//
//   node scripts/release.mjs [--target NAME]… [--out DIR] [--url URL] [--fast]
//
// --url is where the files will be downloaded from; without it install.sh and nono.rb have to be told. --fast compresses little, and
// only in one form: for tests.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { BuildError, buildExecutable, bundledPackages, readVersion, runScript } from './lib/compile.mjs';
import { findPaths } from './lib/find-paths.mjs';
import { fetchRuntime } from './lib/runtimes.mjs';
import { licenceTexts, makeSbom } from './lib/sbom.mjs';
import { makeTar } from './lib/tar.mjs';
import { TARGETS } from './lib/targets.mjs';

const TOP = resolve(import.meta.dirname, '..');
/** A promise to users, for the smaller form. */
const MAX_ARCHIVE_BYTES = 40_000_000;
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;
const SHELLS = { bash: 'nono.bash', zsh: '_nono', fish: 'nono.fish' };
const SUMS = 'SHA256SUMS';
const LIST = 'nono.cdx.json';

runScript(main);

function main() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      out: { type: 'string' },
      url: { type: 'string' },
      fast: { type: 'boolean' },
    },
  });
  const unknown = values.target?.find((name) => !TARGETS.some((target) => target.name === name));
  if (unknown !== undefined)
    throw new BuildError(`Cannot release for "${unknown}": expected one of ${TARGETS.map(({ name }) => name).join(', ')}`);
  const out = resolve(values.out ?? join(TOP, 'dist'));
  mkdirSync(out, { recursive: true });
  const scratch = mkdtempSync(join(out, '.release-'));
  try {
    release({ out, scratch, names: values.target, url: values.url ?? '', isFast: values.fast === true });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function release({ out, scratch, names, url, isFast }) {
  const version = readVersion(TOP);
  const { bun: bunVersion } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')).devDependencies;
  const targets = TARGETS.filter(({ name }) => names === undefined || names.includes(name));
  const packages = bundledPackages(TOP);
  const shared = sharedFiles({ scratch, packages, bunVersion });
  const seconds = commitSeconds();
  const made = new Map();
  const files = [];
  for (const target of targets) {
    const runtime = fetchRuntime({ top: TOP, target, version: bunVersion });
    const twin = made.get(runtime.sha256);
    const archives = archiveNames(target, isFast);
    if (twin === undefined) {
      const executable = join(scratch, target.name);
      buildExecutable({ top: TOP, outfile: executable, runtime: { name: target.name, executable: runtime.executable } });
      refuseTraces([executable]);
      const entry = { name: 'nono/nono', mode: 0o755, data: readFileSync(executable) };
      rmSync(executable);
      const tar = makeTar([{ name: 'nono/', mode: 0o755 }, entry, ...shared], seconds);
      compress({ tar, target, directory: scratch, archives, isFast });
      made.set(runtime.sha256, archives);
    } else {
      // This Bun has one and the same executable for both names: so do we.
      archives.forEach((name, at) => linkSync(join(scratch, twin[at]), join(scratch, name)));
    }
    for (const name of archives) console.log(`${name} (${megabytes(join(scratch, name))} MB)`);
    files.push(...archives);
  }
  writeFileSync(
    join(scratch, LIST),
    `${JSON.stringify(makeSbom({ top: TOP, version, packages, bunVersion, runtimes: targets }), undefined, 2)}\n`,
  );
  writeFileSync(join(scratch, 'install.sh'), fill('install.sh', { url }), { mode: 0o755 });
  files.push(LIST, 'install.sh');
  if (names === undefined) {
    writeFileSync(join(scratch, 'nono.rb'), fillFormula({ scratch, version, url }));
    files.push('nono.rb');
  }
  const sums = files
    .map((name) => `${sha256(join(scratch, name))}  ${name}\n`)
    .sort((a, b) => (a.slice(64) < b.slice(64) ? -1 : 1));
  writeFileSync(join(scratch, SUMS), sums.join(''));
  refuseTraces(files.filter((name) => !name.includes('.tar.')).map((name) => join(scratch, name)));
  for (const name of [...files, SUMS]) renameSync(join(scratch, name), join(out, name));
  console.log(`${join(out, SUMS)}: ${files.length} files of nono ${version}`);
}

/** What every archive has beside the executable: made by the executable of this platform. */
function sharedFiles({ scratch, packages, bunVersion }) {
  const host = join(scratch, 'host');
  buildExecutable({ top: TOP, outfile: host });
  const print = (...words) => execFileSync(host, words, { cwd: scratch, env: { HOME: scratch, PATH: process.env.PATH } });
  const files = [
    { name: 'nono/LICENSE', data: readFileSync(join(TOP, 'LICENSE')) },
    { name: 'nono/LICENSES-OF-OTHERS', data: Buffer.from(licenceTexts({ top: TOP, packages, bunVersion })) },
    { name: 'nono/README.md', data: readFileSync(join(TOP, 'README.md')) },
    ...Object.entries(SHELLS).map(([shell, name]) => ({ name: `nono/completions/${name}`, data: print('completion', shell) })),
    { name: 'nono/man/nono.1', data: print('help', '--man') },
  ];
  rmSync(host);
  const directories = ['nono/completions/', 'nono/man/'].map((name) => ({ name, mode: 0o755 }));
  return [...directories, ...files.map((file) => ({ ...file, mode: 0o644 }))].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** gzip is read everywhere; xz is what keeps the promised size. */
function archiveNames({ name }, isFast) {
  return isFast ? [`nono-${name}.tar.gz`] : [`nono-${name}.tar.gz`, `nono-${name}.tar.xz`];
}

function compress({ tar, target, directory, archives: [gzip, xz], isFast }) {
  writeFileSync(join(directory, gzip), gzipSync(tar, { level: isFast ? 1 : 9 }));
  if (xz === undefined) return;
  const words = [...target.filter, '--lzma2=preset=9e,dict=128MiB'];
  const { status, error, stdout, stderr } = spawnSync('xz', ['--stdout', '--threads=1', '--check=crc64', ...words], {
    input: tar,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (status !== 0) throw new BuildError(`Cannot compress: xz ${error?.message ?? stderr.toString().trim()}`);
  if (stdout.length > MAX_ARCHIVE_BYTES)
    throw new BuildError(`Cannot keep ${xz}: it has ${stdout.length} bytes, at most ${MAX_ARCHIVE_BYTES} are allowed`);
  writeFileSync(join(directory, xz), stdout);
}

function fillFormula({ scratch, version, url }) {
  const sums = TARGETS.map(({ name }) => [`sha256_${name.replaceAll('-', '_')}`, sha256(join(scratch, `nono-${name}.tar.gz`))]);
  return fill('nono.rb', { version, url, ...Object.fromEntries(sums) });
}

/** Puts values in the places of `@NAME@`. */
function fill(name, values) {
  return readFileSync(join(TOP, 'scripts', name), 'utf8').replaceAll(/@([a-z0-9_]+)@/g, (whole, key) => values[key] ?? whole);
}

/** Nothing that is handed out says where it was made: neither a path nor the registry. */
function refuseTraces(files) {
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const host = registry.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  const hosts = host === '' || host === 'registry.npmjs.org' ? [] : [host];
  for (const file of files) {
    const [found] = findPaths(file, [TOP, homedir(), ...hosts]);
    if (found !== undefined) throw new BuildError(`Cannot release: ${basename(file)} contains ${JSON.stringify(found)}`);
  }
}

/** The time of the commit, so that two builds of it agree; SOURCE_DATE_EPOCH where there is no git. */
function commitSeconds() {
  if (process.env.SOURCE_DATE_EPOCH !== undefined) return Number(process.env.SOURCE_DATE_EPOCH);
  const { status, stdout } = spawnSync('git', ['-C', TOP, 'log', '-1', '--format=%ct'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : 0;
}

function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function megabytes(file) {
  return (statSync(file).size / 1e6).toFixed(1);
}
