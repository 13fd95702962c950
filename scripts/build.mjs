// Builds dist/nono, the executable for this platform; with --all one for each platform that nono supports.
//
//   node scripts/build.mjs [--all] [--outfile FILE]

import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildExecutable, runScript } from './lib/compile.mjs';
import { fetchRuntime } from './lib/runtimes.mjs';
import { TARGETS } from './lib/targets.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '..');

runScript(main);

function main() {
  const { values } = parseArgs({
    options: { all: { type: 'boolean' }, outfile: { type: 'string' } },
  });
  const dist = join(TOP, 'dist');
  mkdirSync(dist, { recursive: true });
  if (values.all !== true) {
    build({ outfile: resolve(values.outfile ?? join(dist, 'nono')) });
    return;
  }
  const { bun: version } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')).devDependencies;
  for (const target of TARGETS) {
    const { executable } = fetchRuntime({ top: TOP, target, version });
    build({ outfile: join(dist, `nono-${target.name}`), runtime: { name: target.name, executable } });
  }
}

function build({ outfile, runtime }) {
  buildExecutable({ top: TOP, outfile, runtime });
  console.log(`${outfile} (${(statSync(outfile).size / 1e6).toFixed(1)} MB)`);
}
