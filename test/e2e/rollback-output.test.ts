import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { rollback, runTracked, writeProject } from '../support/rollback.ts';
import { createWorld, type World } from '../support/world.ts';

/** As the shell's printf takes them. */
const HOSTILE_NAMES = [
  '\\033[2J',
  'new\\nline',
  'bad\\377',
  '\\342\\200\\256txt',
  '\\302\\233m',
  'tab\\t',
  '-rf',
  '\\357\\277\\275',
  ' ',
];

/** What a terminal or a reader of lines must never see raw. */
const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ufffd]/;

async function createHostileSession(): Promise<World> {
  const world = createWorld();
  writeProject(world, { plain: 'old\n' });
  const made = HOSTILE_NAMES.map((name) => `echo x > "./$(printf '${name}')"`).join('; ');
  await runTracked(world, `${made}; echo new > plain; : '\x1b[31m'`);
  return world;
}

type Document = Record<string, unknown>;

async function documentOf(world: World, ...words: readonly string[]): Promise<Document> {
  const { stdout, stderr, status } = await rollback(world, [...words, '--json']);
  expect([stderr, status]).toEqual(['', 0]);
  return JSON.parse(stdout) as Document;
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/;

describe('names that attack a terminal', () => {
  test.for([['list'], ['show', 'latest'], ['restore', 'latest', '--dry-run'], ['restore', 'latest'], ['verify', 'latest']])(
    'are escaped by nono rollback %s',
    async (words) => {
      using world = await createHostileSession();
      const { stdout, stderr, status } = await rollback(world, words);
      expect(status).toBe(0);
      expect(stdout + stderr).not.toMatch(UNSAFE);
    },
  );

  test('are escaped in the list of conflicts', async () => {
    using world = await createHostileSession();
    for (const name of fs.readdirSync(world.project, { encoding: 'buffer' })) {
      fs.writeFileSync(Buffer.concat([Buffer.from(`${world.project}/`), name]), 'mine');
    }
    const { stderr, status } = await rollback(world, ['restore', 'latest']);
    expect(status).toBe(3);
    expect(stderr).toContain('  \\x1b[2J (changed since)');
    expect(stderr).toContain('  bad\\xff (changed since)');
    expect(stderr).not.toMatch(UNSAFE);
  });

  test('come in JSON with their exact bytes where they are not UTF-8', async () => {
    using world = await createHostileSession();
    const { changes } = await documentOf(world, 'show', 'latest');
    const paths = (changes as readonly { path: string; path_bytes?: string }[]).map((change) =>
      change.path_bytes === undefined ? Buffer.from(change.path) : Buffer.from(change.path_bytes, 'base64'),
    );
    expect(paths.map((path) => path.toString('latin1'))).toContain(`${world.project}/bad\xff`);
    expect(paths.map((path) => path.toString('latin1'))).toContain(`${world.project}/new\nline`);
    expect((changes as readonly Document[]).filter((change) => 'path_bytes' in change)).toHaveLength(1);
  });

  test('are taken back by restore, and by git apply -R of the diff', async () => {
    using world = await createHostileSession();
    const copy = join(world.directory, 'copy');
    const script = `cp -a . '${copy}' && "$0" rollback show latest --diff | git -C '${copy}' apply -R && ls -A '${copy}'`;
    const outcome = await runProgram(world, ['sh', '-c', script, world.executable]);
    expect(outcome).toMatchObject({ status: 0, stdout: 'plain\n', stderr: '' });
    await rollback(world, ['restore', 'latest']);
    expect(fs.readdirSync(world.project)).toEqual(['plain']);
  });
});

describe('the documents of nono rollback', () => {
  async function createSession(): Promise<World> {
    const world = createWorld();
    writeProject(world, { changed: 'old', gone: 'four', mode: '', touched: '', 'node_modules/x': '' });
    await runTracked(world, 'printf longer > changed; rm gone; echo x > made; chmod 755 mode; touch -d @5 touched');
    return world;
  }

  test('list --json is an array with the fields that OUTPUT.md names', async () => {
    using world = await createSession();
    const [session] = (await documentOf(world, 'list')) as unknown as Document[];
    expect(session).toEqual({
      session_id: expect.stringMatching(/^\d{8}-\d{6}-\d+$/),
      run_id: expect.stringMatching(/^[0-9a-f]{6}$/),
      kind: 'run',
      restores: null,
      status: 'exited',
      command: ['sh', '-c', expect.any(String)],
      workdir: world.project,
      profile: 'default',
      started: expect.stringMatching(TIMESTAMP),
      ended: expect.stringMatching(TIMESTAMP),
      exit_code: 0,
      signal: null,
      tracked_paths: [world.project],
      snapshot_count: 2,
      disk_size: expect.any(Number),
      is_alive: false,
      durable: true,
      counts: { created: 1, modified: 1, deleted: 1, mode_changed: 1 },
      reviewed: false,
    });
  });

  test('show --json has the changes, the snapshots and what was skipped', async () => {
    using world = await createSession();
    const document = await documentOf(world, 'show', 'latest');
    const at = (name: string) => join(world.project, name);
    const changes = [
      { path: at('changed'), type: '~', size_delta: 3 },
      { path: at('gone'), type: '-', size_delta: -4 },
      { path: at('made'), type: '+', size_delta: 2 },
      { path: at('mode'), type: 'p', size_delta: 0 },
      { path: at('touched'), type: '~', size_delta: 0, metadata: true },
    ];
    const own = (document['changes'] as readonly Document[]).filter(({ path }) => path !== world.project);
    expect(own).toEqual(changes);
    expect(document['snapshots']).toMatchObject([
      {
        number: 0,
        parent: null,
        label: 'baseline',
        file_count: 4,
        changes: [],
        merkle_root: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      { number: 1, parent: 0, label: 'final', file_count: 4, timestamp: expect.stringMatching(TIMESTAMP) },
    ]);
    expect(document['skipped']).toEqual(
      [0, 1].map((snapshot) => ({ path: at('node_modules'), reason: 'excluded by a rule', snapshot })),
    );
  });

  test('restore --json has what was done and what undoes it, verify --json that all is sound', async () => {
    using world = await createSession();
    const dry = await documentOf(world, 'restore', 'latest', '--dry-run');
    const done = await documentOf(world, 'restore', 'latest');
    expect(dry).toMatchObject({ snapshot: 0, dry_run: true, conflicts: [], kept: [], restore_session: null });
    expect(done).toMatchObject({ dry_run: false, conflicts: [], kept: [] });
    expect(done['restore_session']).toMatch(/^\d{8}-\d{6}-\d+$/);
    const typeByPath = (document: Document) =>
      new Map((document['actions'] as readonly Document[]).map(({ path, type }) => [path, type]));
    expect(typeByPath(done)).toEqual(typeByPath(dry));
    expect(typeByPath(done).get(join(world.project, 'made'))).toBe('-');
    expect(typeByPath(done).get(join(world.project, 'gone'))).toBe('+');
    const verified = await documentOf(world, 'verify', '--all');
    expect(verified).toMatchObject({ ok: true, sessions: [{ findings: [] }, { findings: [] }] });
  });
});
