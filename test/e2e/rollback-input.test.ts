import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { listSessions, readProject, rollback, runTracked, sessionDirectory, writeProject } from '../support/rollback.ts';
import { startDetached } from '../support/sessions.ts';
import { dumpTree } from '../support/tree.ts';
import { createWorld, type World } from '../support/world.ts';

/** Two sessions; the bytes of the first one's manifest are damaged on demand. */
async function createSessions(): Promise<World & { readonly first: string; readonly second: string }> {
  const world = createWorld();
  writeProject(world, { file: 'one' });
  await runTracked(world, 'echo two > file');
  await runTracked(world, 'echo three > file');
  const [second, first] = (await listSessions(world)).map((session) => session.session_id);
  return { ...world, first: first ?? '', second: second ?? '' };
}

/** Changes one byte in the middle of a file. */
function damage(path: string): void {
  const data = fs.readFileSync(path);
  const middle = Math.floor(data.length / 2);
  data[middle] = (data[middle] ?? 0) ^ 1;
  fs.chmodSync(path, 0o600);
  fs.writeFileSync(path, data);
}

function objectOf(world: World, id: string): string {
  const objects = join(sessionDirectory(world, id), 'objects');
  const [name = ''] = fs.readdirSync(objects, { recursive: true, encoding: 'utf8' }).filter((each) => each.length > 60);
  return join(objects, name);
}

const VERBS = ['show', 'restore', 'verify'] as const;

describe.for(VERBS)('nono rollback %s', (verb) => {
  test('refuses an id that is unknown, a path, ambiguous or empty, and changes nothing', async () => {
    using world = await createSessions();
    const left = dumpTree(world.directory);
    const cases = [
      { id: 'nope', status: 4, stderr: /Cannot find rollback session "nope" \[E_NOT_FOUND\]\nHint: List them/ },
      { id: '99990101-000000-1', status: 4, stderr: /E_NOT_FOUND/ },
      { id: '../x', status: 4, stderr: /Cannot find rollback session "\.\.\/x"/ },
      { id: `../rollbacks/${world.first}`, status: 4, stderr: /E_NOT_FOUND/ },
      { id: `${world.first}/`, status: 4, stderr: /E_NOT_FOUND/ },
      { id: '/etc', status: 4, stderr: /E_NOT_FOUND/ },
      { id: '.', status: 4, stderr: /E_NOT_FOUND/ },
      { id: '..', status: 4, stderr: /E_NOT_FOUND/ },
      { id: '*', status: 4, stderr: /E_NOT_FOUND/ },
      { id: '\x1b[2J', status: 4, stderr: /"\\x1b\[2J"/ },
      { id: '', status: 2, stderr: /E_USAGE/ },
      { id: world.first.slice(0, 4), status: 2, stderr: new RegExp(`${world.second}, ${world.first}`) },
    ];
    for (const { id, status, stderr } of cases) {
      const outcome = await rollback(world, [verb, id]);
      expect([id, outcome.status, outcome.stdout]).toEqual([id, status, '']);
      expect(outcome.stderr).toMatch(stderr);
    }
    expect(dumpTree(world.directory)).toEqual(left);
  });

  test('takes a prefix that fits one, the six digits of the run, and latest', async () => {
    using world = await createSessions();
    const [newest] = await listSessions(world);
    const unique = world.second.slice(0, Array.from(world.second).findIndex((digit, at) => digit !== world.first[at]) + 1);
    for (const id of ['latest', unique, newest?.run_id ?? '', world.second]) {
      const outcome = await rollback(world, verb === 'restore' ? [verb, id, '--dry-run'] : [verb, id]);
      expect([id, outcome.status]).toEqual([id, 0]);
      expect(outcome.stdout).toContain(world.second);
    }
  });

  test('takes the name of the session, and says of one without snapshots that it has none', async () => {
    using world = await createSessions();
    const run = (name: string, words: readonly string[] = []) =>
      runNono(world, ['run', '--name', name, ...words, '--allow-cwd', '--', 'sh', '-c', 'echo four > file']);
    await run('tracked', ['--rollback']);
    await run('untracked');
    const [newest] = await listSessions(world);
    const outcome = await rollback(world, verb === 'restore' ? [verb, 'tracked', '--dry-run'] : [verb, 'tracked']);
    expect(outcome).toMatchObject({ status: 0, stdout: expect.stringContaining(newest?.session_id ?? '?') });
    expect(await rollback(world, [verb, 'untracked'])).toMatchObject({
      status: 4,
      stdout: '',
      stderr: expect.stringMatching(/session [\da-f]{6}: it ran without --rollback \[E_NOT_FOUND\]/),
    });
  });

  test('takes the name of a session for no other one whose id begins with it', async () => {
    using world = await createSessions();
    const earlier = await listSessions(world);
    const [runId, id] = [earlier[0]?.run_id ?? '', earlier[0]?.session_id ?? ''];
    const name = runId.slice(0, 1);
    await runNono(world, ['run', '--name', name, '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo four > file']);
    const before = dumpTree(world.project);

    expect(await rollback(world, [verb, name])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(runId) });
    // What can be undone stays when the record of its run goes.
    for (const { run_id: run } of earlier) fs.rmSync(join(world.state, 'sessions', `${run}.json`));
    const outcome = await rollback(world, [verb, name]);

    expect(outcome).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Cannot tell which session') });
    if (name !== '2') expect(outcome.stderr).toContain(id);
    expect(dumpTree(world.project)).toEqual(before);
  });

  test('says of a damaged session what is damaged, by its id and by a prefix, and changes nothing', async () => {
    using world = await createSessions();
    damage(join(sessionDirectory(world, world.first), 'manifest.json'));
    const left = dumpTree(world.directory);
    for (const id of [world.first, world.first.slice(0, -1)]) {
      const { status, stdout, stderr } = await rollback(world, [verb, id]);
      expect([id, status]).toEqual([id, 3]);
      expect(`${stdout}${stderr}`).toMatch(new RegExp(`${world.first}.*manifest.json`, 's'));
    }
    expect(dumpTree(world.directory)).toEqual(left);
  });

  test('finds nothing in a state directory that is not there, and does not make it', async () => {
    using world = createWorld();
    for (const id of ['latest', 'a3f7c2']) expect(await rollback(world, [verb, id])).toMatchObject({ status: 4, stdout: '' });
    expect(fs.existsSync(world.state)).toBe(false);
  });
});

test('latest says where that ran, to who is elsewhere', async () => {
  using world = await createSessions();
  const there = await rollback(world, ['show', 'latest']);
  const elsewhere = await rollback(world, ['show', 'latest'], { cwd: world.home });

  expect(there).toMatchObject({ status: 0, stderr: '' });
  expect(elsewhere).toMatchObject({ status: 0, stderr: `[nono] The latest is ${world.second}, of ${world.project}\n` });
});

test('nono rollback show takes the name of a live session for that one, whatever begins with it', async () => {
  using world = await createSessions();
  const [other] = await listSessions(world);
  const name = (other?.run_id ?? '').slice(0, 1);
  const id = await startDetached(world, '--rollback', '--silent', '--name', name, '--', 'cat');

  const { stdout } = await rollback(world, ['show', name]);

  expect(stdout).toContain(`(session ${id})`);
  await runNono(world, ['stop', '--force', id]);
});

describe('nono rollback list', () => {
  test('names a damaged session on stderr and shows the healthy ones', async () => {
    using world = await createSessions();
    damage(join(sessionDirectory(world, world.first), 'manifest.json'));
    fs.symlinkSync('/etc', join(world.state, 'rollbacks/20200101-000000-1'));
    fs.mkdirSync(join(world.state, 'rollbacks/20200101-000000-2'));
    const { status, stdout, stderr } = await rollback(world, ['list']);
    expect(status).toBe(0);
    expect(stdout).toContain(world.second);
    expect(stderr).toMatch(new RegExp(`Passed over session ${world.first}: Cannot read .*manifest.json`));
    expect(stderr).not.toContain('20200101');
    expect(await listSessions(world)).toHaveLength(1);
  });

  test('of nothing is an empty list', async () => {
    using world = createWorld();
    expect(await rollback(world, ['list'])).toMatchObject({ status: 0, stdout: '[nono] 0 session(s)\n', stderr: '' });
    expect(await listSessions(world)).toEqual([]);
  });

  test('leaves out sessions without changes unless --all, and takes --path and --recent', async () => {
    using world = await createSessions();
    await runTracked(world, 'true');
    const ids = async (...words: readonly string[]) => {
      const { stdout } = await rollback(world, ['list', '--json', ...words]);
      return (JSON.parse(stdout) as { session_id: string }[]).map((session) => session.session_id);
    };
    expect(await ids()).toEqual([world.second, world.first]);
    expect(await ids('--all')).toHaveLength(3);
    expect(await ids('--recent', '1')).toEqual([world.second]);
    expect(await ids('--path', '.')).toHaveLength(2);
    expect(await ids('--path', world.home)).toEqual([]);
    for (const count of ['-1', '1.5', 'x'])
      expect(await rollback(world, ['list', '--recent', count])).toMatchObject({ status: 2 });
  });
});

describe('a state directory that cannot be trusted', () => {
  const STATES = [
    { what: 'that others can write', spoil: (path: string) => fs.chmodSync(path, 0o777), hint: /chmod 700 / },
    { what: 'that the group can read', spoil: (path: string) => fs.chmodSync(path, 0o750), hint: /chmod 700 / },
    {
      what: 'that is a link',
      spoil: (path: string) => {
        fs.renameSync(path, `${path}.moved`);
        fs.symlinkSync(`${path}.moved`, path);
      },
      hint: /rm /,
    },
    // Root is not to take it from that user.
    { what: 'that somebody else owns', spoil: (path: string) => fs.chownSync(path, 12345, 12345), hint: /Run it as that user/ },
  ];

  test.for(STATES.flatMap((state) => ['', 'rollbacks'].map((directory) => ({ ...state, directory }))))(
    '$what is refused with the way out ("$directory")',
    async ({ spoil, hint, directory }, context) => {
      if (process.getuid?.() !== 0) context.skip('needs root, to give a directory away');
      using world = await createSessions();
      const path = join(world.state, directory);
      spoil(path);
      for (const words of [
        ['list'],
        ['show', 'latest'],
        ['restore', 'latest'],
        ['verify', '--all'],
        ['export', 'latest', '--tar', '-'],
      ]) {
        const { status, stdout, stderr } = await rollback(world, words);
        expect([words[0], status, stdout]).toEqual([words[0], 1, '']);
        expect(stderr).toMatch(hint);
        expect(stderr).toContain(path);
      }
      const run = await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'touch', 'proof']);
      expect(run.status).toBe(125);
      expect(run.stderr).toMatch(hint);
      expect(fs.existsSync(join(world.project, 'proof'))).toBe(false);
    },
  );
});

describe('a damaged session', () => {
  test('is found by verify, with the path that needs it, and exit status 3', async () => {
    using world = await createSessions();
    damage(objectOf(world, world.second));
    const text = await rollback(world, ['verify', 'latest']);
    expect(text).toMatchObject({ status: 3, stderr: '' });
    expect(text.stdout).toMatch(new RegExp(`^${world.second} {2}damaged[^]*${world.project}/file: Cannot use object`));
    const { status, stdout } = await rollback(world, ['verify', '--all', '--json']);
    expect(status).toBe(3);
    const document = JSON.parse(stdout) as { ok: boolean; sessions: { session_id: string; findings: unknown[] }[] };
    expect(document.ok).toBe(false);
    expect(document.sessions.find((session) => session.session_id === world.second)?.findings).toMatchObject([
      { path: join(world.project, 'file'), kind: 'damaged-object' },
    ]);
  });

  test.for(['damage', 'remove'])('(%s one object) keeps that path at a restore, says so, and restores the rest', async (deed) => {
    using world = createWorld();
    writeProject(world, { a: 'one', b: 'two', c: 'three' });
    await runTracked(world, 'for f in a b c; do echo new > $f; done; echo x > d');
    const [{ session_id: id } = { session_id: '' }] = await listSessions(world);
    const path = fs
      .readdirSync(join(sessionDirectory(world, id), 'objects'), { recursive: true, encoding: 'utf8' })
      .map((name) => join(sessionDirectory(world, id), 'objects', name))
      .find((each) => fs.statSync(each).isFile() && fs.readFileSync(each, 'utf8') === 'two') as string;
    if (deed === 'damage') damage(path);
    else fs.rmSync(path);
    const left = dumpTree(world.project);

    const { status, stdout, stderr } = await rollback(world, ['restore', id]);
    expect([status, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(/^ {2}Kept b: Cannot use object /m);
    expect(['a', 'b', 'c'].map((name) => readProject(world, name))).toEqual(['one', 'new\n', 'three']);

    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(stdout) ?? [];
    expect(await rollback(world, ['restore', safety])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(left);
  });
});
