// Run by bun: compiles the executable that the JSON on its standard input describes (compile.mjs).

import { basename, dirname, join, normalize } from 'node:path';
import { encodeKnownFilters } from '../../src/sandbox/linux/assemble-filters.ts';

/** Small modules that some ways load without using them: for each a chunk of its own would cost those that do more. */
const SHARED_BY_FEW = [
  'src/json-lines.ts',
  'src/commands/attach-options.ts',
  'src/platform/linux/process-tree.ts',
  'src/platform/linux/terminal-settings.ts',
];
const SHARED_BY_VERBS = [
  'src/commands/attach-options.ts',
  'src/commands/session/review-session.ts',
  'src/commands/user-config.ts',
  'src/config/config-path.ts',
];
/**
 * The ways to start that have to be quick, and the modules that each loads. The bundler makes a chunk of each set of modules that the same entries share, and every
 * verb is an entry: fifty chunks on the way of `wrap`, a quarter of its time. Modules are kept together that the same of these ways need.
 */
const WAYS = [
  ['src/platform/start.ts', 'src/commands/wrap.ts'],
  [
    'src/platform/start.ts',
    'src/platform/parent.ts',
    'src/commands/run.ts',
    'src/commands/run-plain.ts',
    'src/commands/run-detached.ts',
    ...SHARED_BY_FEW,
  ],
  ['src/platform/start.ts', 'src/cli-verbs.ts', 'src/commands/session/ps.ts', ...SHARED_BY_VERBS],
  [
    'src/platform/start.ts',
    'src/commands/session/attach.ts',
    'src/platform/bun/socket.ts',
    'src/platform/linux/signals.ts',
    'src/platform/linux/user-terminal.ts',
    ...SHARED_BY_FEW,
  ],
  ['src/platform/supervisor-role.ts', 'src/platform/supervision.ts', 'src/platform/linux/terminal-settings.ts'],
];
/** Its place among the ways. */
const WRAP_WAY = 0;
/** What has to be there before the rest of its way: of what only that way needs, a group of its own. */
const FIRST = 'src/platform/supervisor-role.ts';
/** The sources of what is put in as machine code (code-images.mjs). */
const COMPILED = {
  NONO_LAUNCH_IMAGE: /\/(?:launch\/[^/]*|code-start|code-end)\.c$/,
  NONO_MEDIATOR_IMAGE: /\/mediator\/[^/]*\.c$/,
  NONO_BULK_FILES_IMAGE: /\/bulk\/[^/]*\.c$/,
  NONO_RELAY_IMAGE: /\/relay\/[^/]*\.c$/,
  NONO_SYNC_IMAGE: /\/disk-sync\/[^/]*\.c$/,
};
const GROUP_PREFIX = 'nono-group:';
/** What this module imports it gets copies of, in its own chunk: before it can start another process it waits for nothing. No state may be in them. */
const ROOT = 'src/main.ts';
/** Entries whose process loads nothing else, ever: of all that they import they get copies, one chunk of only what is used. A guardian takes a fifth less so. */
const APART = ['src/platform/linux/guardian.ts'];

const { top, entries, define, ...compile } = await Bun.stdin.json();

const architecture = compile.target === undefined ? process.arch : /arm64|aarch64/.test(compile.target) ? 'arm64' : 'x64';
const platform = compile.target === undefined ? process.platform : /darwin/.test(compile.target) ? 'darwin' : 'linux';
const { groupOf, members } = await findGroups();
const { success, logs } = await Bun.build({
  entrypoints: entries.map((entry) => join(top, entry)),
  target: 'bun',
  // Each verb becomes a chunk of its own, which is read only when it is imported.
  splitting: true,
  bytecode: true,
  format: 'esm',
  minify: true,
  sourcemap: 'none',
  define: {
    ...define,
    NONO_FILTERS: JSON.stringify(encodeKnownFilters(architecture)),
    // Tables of other machines are left out.
    'process.arch': JSON.stringify(architecture),
    'process.platform': JSON.stringify(platform),
  },
  plugins: [{ name: 'groups', setup: keepGroupsTogether }],
  compile,
  throw: false,
});
for (const log of logs) console.error(String(log));
process.exitCode = success ? 0 : 1;

/** The name of each module's group, and the members of each group. */
async function findGroups() {
  const waysOf = new Map();
  for (const [at, way] of WAYS.entries()) {
    const modules = new Set();
    for (const entry of way) await follow(join(top, entry), modules);
    for (const module of modules) waysOf.set(module, [...(waysOf.get(module) ?? []), at]);
  }
  const first = new Set();
  await follow(join(top, FIRST), first);
  const firstWay = WAYS.findIndex(([entry]) => entry === FIRST);
  const names = new Map();
  const groups = new Map();
  for (const [module, ways] of waysOf) {
    const name = nameGroup(ways, ways[0] === firstWay && first.has(module));
    names.set(module, name);
    groups.set(name, [...(groups.get(name) ?? []), module]);
  }
  return { groupOf: (module) => names.get(module), members: groups };
}

/**
 * Modules that the same ways need are a group. What `wrap` needs is one whoever else needs some of it: a chunk more takes longer than what is in a larger one, of
 * which functions are made as they are called.
 */
function nameGroup(ways, isFirst) {
  if (ways.includes(WRAP_WAY)) return 'wrap';
  return ways.length === 1 && isFirst ? `${ways[0]}-first` : ways.join('-');
}

async function follow(path, modules) {
  if (modules.has(path) || !path.endsWith('.ts')) return;
  modules.add(path);
  for (const imported of await staticImports(path)) await follow(imported, modules);
}

async function staticImports(path) {
  const source = await Bun.file(path).text();
  return new Bun.Transpiler({ loader: 'ts' })
    .scanImports(source)
    .filter(({ kind, path: name }) => kind === 'import-statement' && name.startsWith('.'))
    .map(({ path: name }) => normalize(join(dirname(path), name)));
}

/**
 * Whoever imports one module of a group imports all of them: then the bundler has no reason to take them apart. What a group needs is needed by the same ways and
 * perhaps by others, so groups never need each other. Entries, which nobody imports, see to their own group themselves.
 */
function keepGroupsTogether(build) {
  const entryPaths = new Set(WAYS.flat().map((entry) => join(top, entry)));
  build.onResolve({ filter: new RegExp(`^${GROUP_PREFIX}`) }, ({ path }) => ({ path, namespace: 'group' }));
  build.onLoad({ filter: /./, namespace: 'group' }, ({ path }) => ({
    contents: lines(members.get(path.slice(GROUP_PREFIX.length))),
    loader: 'ts',
  }));
  build.onResolve({ filter: /\.ts$/ }, ({ path: name, importer, kind }) => {
    const [from, ownerOfImporter] = importer.split('?');
    const path = normalize(join(dirname(from), name));
    const isStatic = kind === 'import-statement';
    if (ownerOfImporter !== undefined && !isStatic) fail(`${from} is copied, and loads ${name}, which would be there twice`);
    const entry = isStatic ? ROOT : APART.find((one) => join(top, one) === path);
    const owner = from === join(top, ROOT) && entry !== undefined ? basename(entry) : ownerOfImporter;
    return owner === undefined ? undefined : { path: `${path}?${owner}`, namespace: 'copy' };
  });
  build.onLoad({ filter: /./, namespace: 'copy' }, async ({ path }) => ({
    contents: await Bun.file(path.slice(0, path.indexOf('?'))).text(),
    loader: 'ts',
  }));
  build.onLoad({ filter: /\/src\/.*\.c$/ }, async ({ path }) => {
    // As machine code already, the text would only be carried along.
    const isCompiled = Object.entries(COMPILED).some(([image, sources]) => image in define && sources.test(path));
    // A string, where the bundler's own loader makes a template of it, which takes a start 0.3 ms.
    return { contents: `export default ${JSON.stringify(isCompiled ? '' : await Bun.file(path).text())};`, loader: 'js' };
  });
  build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
    const own = groupOf(path);
    const others = path === join(top, ROOT) ? [] : await staticImports(path);
    const imported = others.map(groupOf).filter((group) => group !== undefined && group !== own);
    const groups = new Set(own !== undefined && entryPaths.has(path) ? [own, ...imported] : imported);
    return {
      contents: `${lines([...groups].map((group) => `${GROUP_PREFIX}${group}`))}${await Bun.file(path).text()}`,
      loader: 'ts',
    };
  });
}

/** An error that is thrown here the bundler waits for. */
function fail(message) {
  console.error(message);
  process.exit(1);
}

function lines(names) {
  return names.map((name) => `import ${JSON.stringify(name)};`).join('');
}
