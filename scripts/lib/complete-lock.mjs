// Adds to package-lock.json the optional packages that npm left out because the registry at hand has no copy of them.
//
// Some mirrors hold only the packages of a few platforms. `npm install` then writes a lock without the others, and
// `npm ci` refuses that lock everywhere. An entry without an integrity makes both kinds of registry work: npm skips it
// where its os and cpu do not match. Run it after each change of dependencies: npm run lock

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const LOCK = join(resolve(import.meta.dirname ?? '.', '..', '..'), 'package-lock.json');
const SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'openharmony',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
  'win32',
  'windows',
  'wasm32',
  'wasi',
];
const PROCESSORS = {
  aarch64: 'arm64',
  arm64: 'arm64',
  x64: 'x64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
  wasm32: 'wasm32',
};

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isInstalledFor(path, name)) continue;
    lock.packages[`node_modules/${name}`] = describe(name, version, entry);
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'package-lock.json is complete' : `Added ${added.join(', ')}`);

/** As npm looks a package up: in the folder of the dependent, then in those above it. */
function isInstalledFor(dependent, name) {
  for (let folder = dependent; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (lock.packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
  }
}

/** The names say the platform: `@scope/tool-linux-arm64-musl`. */
function describe(name, range, dependent) {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  const system = SYSTEMS.find((word) => words.includes(word));
  const processor = Object.keys(PROCESSORS).find((word) => words.includes(word));
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  if (system === undefined) throw new Error(`Cannot tell the platform of "${name}" by its name`);
  const version = range.replace(/^[\^~]/, '');
  return {
    version,
    ...(dependent.dev === true ? { dev: true } : {}),
    optional: true,
    os: [system === 'windows' ? 'win32' : system],
    cpu: [PROCESSORS[processor] ?? 'unknown'],
    ...(system === 'linux' && words.some((word) => /^(musl|gnu)/.test(word)) ? { libc: [libc] } : {}),
  };
}
