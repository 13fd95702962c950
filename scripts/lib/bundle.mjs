// Run by bun: compiles the executable that the JSON of the first argument describes (compile.mjs).

import { dirname, join, normalize } from 'node:path';
import { encodeKnownFilters } from '../../src/sandbox/linux/known-filters.ts';

/**
 * The ways to start, the most common first, and what each loads that those before it do not. The bundler would make a chunk of each set of modules that
 * the same entries share: fifty of them on the way of `wrap`, a quarter of its time. What belongs to one way is kept in one chunk.
 */
const WAYS = [
  ['src/platform/start.ts', 'src/commands/wrap.ts'],
  ['src/commands/run.ts', 'src/commands/run-plain.ts', 'src/commands/run-detached.ts'],
  ['src/cli-verbs.ts', 'src/commands/session/ps.ts'],
  ['src/platform/linux/guardian.ts'],
  ['src/platform/supervisor-role.ts'],
];
/** The sources of what is put in as machine code (code-images.mjs). */
const COMPILED = { NONO_LAUNCH_IMAGE: /\/launch\/[^/]*\.c$/, NONO_MEDIATOR_IMAGE: /\/mediator\/[^/]*\.c$/ };
const WAY_PREFIX = 'nono-way:';

const { top, entries, define, ...compile } = JSON.parse(process.argv[2]);

const architecture = compile.target === undefined ? process.arch : /arm64|aarch64/.test(compile.target) ? 'arm64' : 'x64';
const ways = await findWays();
const { success, logs } = await Bun.build({
  entrypoints: entries.map((entry) => join(top, entry)),
  target: 'bun',
  // Each verb becomes a chunk of its own, which is read only when it is imported.
  splitting: true,
  bytecode: true,
  format: 'esm',
  minify: true,
  sourcemap: 'none',
  define: { ...define, NONO_FILTERS: JSON.stringify(encodeKnownFilters(architecture)) },
  plugins: [{ name: 'ways', setup: keepWaysTogether }],
  compile,
  throw: false,
});
for (const log of logs) console.error(String(log));
process.exitCode = success ? 0 : 1;

/** The modules of each way, with the entries that it is loaded by. */
async function findWays() {
  const found = [];
  const taken = new Set();
  for (const way of WAYS) {
    const modules = new Set();
    for (const entry of way) await follow(join(top, entry), modules, taken);
    for (const module of modules) taken.add(module);
    found.push({ modules, entries: way.map((entry) => join(top, entry)) });
  }
  return found;
}

async function follow(path, modules, taken) {
  if (modules.has(path) || taken.has(path) || !path.endsWith('.ts')) return;
  modules.add(path);
  for (const imported of await staticImports(path)) await follow(imported, modules, taken);
}

async function staticImports(path) {
  const source = await Bun.file(path).text();
  return new Bun.Transpiler({ loader: 'ts' })
    .scanImports(source)
    .filter(({ kind, path: name }) => kind === 'import-statement' && name.startsWith('.'))
    .map(({ path: name }) => normalize(join(dirname(path), name)));
}

/** Whoever imports one module of a way imports all of them: then the bundler has no reason to take them apart. */
function keepWaysTogether(build) {
  build.onResolve({ filter: new RegExp(`^${WAY_PREFIX}`) }, ({ path }) => ({ path, namespace: 'way' }));
  build.onLoad({ filter: /./, namespace: 'way' }, ({ path }) => {
    const at = Number(path.slice(WAY_PREFIX.length));
    return { contents: lines(ways[at].entries), loader: 'ts' };
  });
  build.onLoad({ filter: /\/src\/.*\.c$/ }, async ({ path }) => {
    // As machine code already, the text would only be carried along.
    const isCompiled = Object.entries(COMPILED).some(([image, sources]) => image in define && sources.test(path));
    // A string, where the bundler's own loader makes a template of it, which takes a start 0.3 ms.
    return { contents: `export default ${JSON.stringify(isCompiled ? '' : await Bun.file(path).text())};`, loader: 'js' };
  });
  build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
    const imported = await staticImports(path);
    const own = ways.findIndex(({ modules }) => modules.has(path));
    const wanted = ways.flatMap(({ modules, entries: first }, at) => {
      const isWanted = at === own ? first.includes(path) : imported.some((module) => modules.has(module));
      return isWanted ? [`${WAY_PREFIX}${at}`] : [];
    });
    return { contents: `${lines(wanted)}${await Bun.file(path).text()}`, loader: 'ts' };
  });
}

function lines(names) {
  return names.map((name) => `import ${JSON.stringify(name)};`).join('');
}
