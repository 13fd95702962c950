import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { startDetached } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../src/commands/OUTPUT.md'), 'utf8');

/** What is below a heading. */
function below(heading: string): string {
  const [, section = ''] = page.split(`\n### ${heading}\n`);
  const [own = ''] = section.split('\n### ');
  return own;
}

/** What the first column of the tables names. */
function inTables(text: string): readonly string[] {
  return Array.from(text.matchAll(/^\| (?<cell>`[^|]*) \|/gm)).flatMap(({ groups }) =>
    Array.from((groups?.['cell'] ?? '').matchAll(/`([a-z_]+)`/g), ([, name = '']) => name),
  );
}

/** The names in the first document that is written out behind `mark`; the words for values are none. */
function written(mark: string): readonly string[] {
  const [, behind = ''] = page.split(mark);
  const [, shape = ''] = /`(\{[^`]*\})`/.exec(behind) ?? [];
  return (shape.match(/[a-z_]+/g) ?? []).filter((word) => word !== 'text');
}

/** The names of all objects in a document. */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)]);
}

const sorted = (names: readonly string[]) => [...new Set(names)].toSorted();
const [SESSION = '', ENFORCED = ''] = below('ps and inspect').split('\n`enforced`, here');
const DRY_RUN = below('run, shell and wrap with --dry-run');

describe('each JSON document has the names of OUTPUT.md and no others:', () => {
  let world: World;
  let live: string;
  beforeAll(async () => {
    world = createWorld();
    mkdirSync(join(world.home, 'out'));
    writeFileSync(join(world.home, 'out', 'f'), '');
    writeFileSync(join(world.project, '.envrc'), '');
    await runNono(world, ['run', '--rollback', '--silent', '--allow-cwd', '--', 'sh', '-c', 'echo x >> .envrc; mkfifo pipe']);
    live = await startDetached(world, '--rollback', '--silent', '--ask', '--', 'sh', '-c', `cat ${world.home}/out/f; cat`);
    await waitFor('a question', async () => (await runNono(world, ['approvals'])).stdout !== '');
  });
  afterAll(() => world[Symbol.dispose]());

  async function documentOf(words: readonly string[]): Promise<unknown> {
    const named = words.map((word) => (word === 'LIVE' ? live : word));
    const at = named.includes('--') ? named.indexOf('--') : named.length;
    const { stdout, stderr } = await runNono(world, named.toSpliced(at, 0, '--json'));
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^[[{][^]*[\]}]\n$/), stderr });
    return JSON.parse(stdout) as unknown;
  }

  test.for([
    { words: ['ps', '--all'], table: SESSION, without: ['reviewed'] },
    { words: ['inspect', 'LIVE'], table: SESSION, without: [] },
    { words: ['approvals'], table: below('approvals'), without: [], within: 'approvals' },
    { words: ['screen', 'LIVE'], table: below('screen and logs'), without: ['runs'] },
    { words: ['why', '/etc/passwd'], table: below('why'), without: [] },
    { words: ['run', '--dry-run', '--rollback', '--allow-cwd', '--', 'true'], table: DRY_RUN, without: [] },
    { words: ['wrap', '--dry-run', '--allow-cwd', '--', 'true'], table: DRY_RUN, without: [] },
    { words: ['rollback', 'list', '--all'], table: below('rollback list'), without: [] },
    { words: ['rollback', 'checkpoint', 'LIVE'], table: below('rollback checkpoint'), without: [] },
    { words: ['rollback', 'restore', 'latest', '--dry-run'], table: below('rollback restore'), without: [] },
  ])('$words', async ({ words, table, without, within }) => {
    const whole = await documentOf(words);
    const found = within === undefined ? whole : (whole as Readonly<Record<string, unknown>>)[within];
    const [first] = (Array.isArray(found) ? found : [found]) as readonly Readonly<Record<string, unknown>>[];
    const named = inTables(table).filter((name) => !(without as readonly string[]).includes(name));

    expect(named.length).toBeGreaterThan(5);
    expect(sorted(Object.keys(first ?? {}))).toEqual(sorted(named));
    const enforced = (first as { readonly enforced?: object }).enforced;
    if (enforced !== undefined) expect(sorted(Object.keys(enforced))).toEqual(sorted(inTables(ENFORCED)));
  });

  test('rollback show', async () => {
    const list = (await documentOf(['rollback', 'list'])) as readonly { readonly session_id: string }[];
    const found = (await documentOf(['rollback', 'show', list.at(-1)?.session_id ?? ''])) as Record<string, readonly object[]>;
    const named = [...inTables(below('rollback list')).filter((name) => name !== 'counts'), ...inTables(below('rollback show'))];

    expect(sorted(Object.keys(found))).toEqual(sorted(named));
    for (const name of ['changes', 'snapshots', 'skipped', 'traps', 'rules']) {
      const [, row = ''] = new RegExp(`^\\| \`${name}\` \\| (.*) \\|$`, 'm').exec(below('rollback show')) ?? [];
      const names = Object.keys(found[name]?.at(-1) ?? {});
      const unknown = names.filter((one) => !row.includes(one));
      expect({ name, unknown, isEmpty: names.length < 2 }).toEqual({ name, unknown: [], isEmpty: false });
    }
  });

  test.for([
    { words: ['doctor'], mark: '### setup --check-only and doctor\n' },
    { words: ['setup', '--check-only'], mark: '### setup --check-only and doctor\n' },
    { words: ['profile', 'list'], mark: '`profile list`' },
    { words: ['profile', 'validate'], mark: '`profile validate`' },
    { words: ['config', 'validate'], mark: '`config validate`' },
    { words: ['rollback', 'cleanup', '--keep', '0', '--dry-run'], mark: '### rollback cleanup\n' },
    { words: ['inspect', 'LIVE', '--events'], mark: '`inspect --events`: ', isOpen: true },
    { words: ['profile', 'show', 'node-dev'], mark: '`profile show`: ', isOpen: true },
    { words: ['config', 'show'], mark: '`config show`: ', isOpen: true },
    { words: ['rollback', 'verify', '--all'], mark: '### rollback verify\n', absent: ['kind', 'message', 'path'] },
    { words: ['audit', 'verify', '--all'], mark: '`audit verify`: ', absent: ['line', 'reason'] },
    // Last: they end the session, and remove what is left of it.
    { words: ['stop', '--force', 'LIVE'], mark: '`stop`: ' },
    { words: ['wait', 'LIVE'], mark: '`wait`: ' },
    { words: ['prune'], mark: '`prune`: ' },
  ])('$words', async ({ words, mark, isOpen = false, absent = [] }) => {
    const found = (await documentOf(words)) as object;
    const named = written(mark);

    expect(named.length).toBeGreaterThan(0);
    if (isOpen) expect(sorted(named)).toEqual(expect.arrayContaining(Object.keys(found)));
    else
      expect(sorted([...namesIn(found), ...absent])).toEqual(
        sorted(named.filter((name) => name !== 'session_id' || words[0] !== 'prune')),
      );
  });
});
