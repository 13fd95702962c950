import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Asking, type ListedQuestion, LONG_MS, openAsking } from '../support/approvals.ts';
import { type Running, runNono, startNono } from '../support/nono.ts';
import { readRecord, startDetached, untilGone } from '../support/sessions.ts';
import { PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld, USERS, type World } from '../support/world.ts';

describe.for(USERS)('a request of $user outside the grants', ({ ordinaryUser }) => {
  let world: World;
  let out: string;
  let asking: Asking;
  const followers: Running[] = [];

  beforeEach(async () => {
    world = createWorld({ ordinaryUser });
    asking = await openAsking(world);
    ({ out } = asking);
  });
  afterEach(async () => {
    for (const { child } of followers.splice(0)) child.kill('SIGTERM');
    await asking[Symbol.asyncDispose]();
    world[Symbol.dispose]();
  });

  const sh = (script: string) => asking.sh(script);
  const start = (script: string, ...options: readonly string[]) => asking.start(script, ...options);
  const list = () => asking.list();
  const asked = (path: string) => asking.asked(path);
  const answer = (...words: readonly string[]) => asking.answer(...words);

  test('waits, and opens the file when somebody allows it', async () => {
    const run = start(`cat ${out}/f; echo; cat ${out}/f`);
    const { id, access, session_id: session, asked: when, expires } = await asked(`${out}/f`);

    expect(access).toBe('read');
    expect(Date.parse(expires) - Date.parse(when)).toBeCloseTo(300_000, -3);
    expect((await runNono(world, ['ps'])).stdout).toContain('waiting(1)');
    await waitFor(
      'the record to say so',
      () => (readRecord(world, session) as unknown as { pending_approvals: number }).pending_approvals === 1,
    );
    expect(run.stderr()).toContain(`waits to read ${out}/f: answer with \`nono allow ${id}\``);
    expect(await answer('allow', id)).toMatchObject({ status: 0, stdout: `${id}\n` });
    const second = await waitFor('the second one', async () => (await list()).find((question) => question.id !== id));
    expect(await answer('approvals', 'deny', '--reason', 'enough', second.id)).toMatchObject({ status: 0 });

    const { stdout, stderr } = await run.ended;
    expect(stdout).toBe('allowed\n');
    expect(stderr).toContain('Permission denied');
    expect(stderr).toContain(`Denied: read ${out}/f (by your answer; --read-file ${out}/f gives it)`);
    expect(await answer('allow', id)).toMatchObject({ status: 4 });
    expect(await answer('deny', `${session}-99`)).toMatchObject({ status: 4 });
    const events = (await runNono(world, ['inspect', session, '--events'])).stdout;
    for (const word of ['asked', 'answered', 'enough']) expect(events).toContain(word);
    expect(await runNono(world, ['audit', 'verify', session])).toMatchObject({ status: 0 });
  });

  test('is told to whoever follows the list, and so is its end', async () => {
    const follow = startNono(world, ['approvals', '-f'], { timeoutMs: LONG_MS });
    const json = startNono(world, ['approvals', '--follow', '--json'], { timeoutMs: LONG_MS });
    followers.push(follow, json);
    start(`cat ${out}/f; cat ${out}/g; true`);
    const first = await waitFor('the first', () => /^(?<id>\S+) read (?<path>.*)\n/.exec(follow.stdout())?.groups);
    expect(first).toMatchObject({ path: `${out}/f` });
    const id = first['id'] ?? '';
    await waitFor('the same as JSON', () => json.stdout().includes(`"id":"${id}"`));
    await answer('allow', id);
    const second = id.replace(/1$/, '2');
    await waitFor('the second', () => follow.stdout().includes(`${second} read ${out}/g`));
    await answer('deny', second);
    for (const one of [follow, json]) await waitFor('its end', () => new RegExp(`${second}(?:","| )closed`).test(one.stdout()));

    expect(follow.stdout()).toMatch(new RegExp(`^${id} read ${out}/f\n${id} closed\n${second} read ${out}/g\n`));
    const lines = json.stdout().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { id, path: `${out}/f`, access: 'read' },
      { id, closed: true },
      { id: second, path: `${out}/g` },
      { id: second, closed: true },
    ]);
    follow.child.kill('SIGINT');
    expect((await follow.ended).signal ?? (await follow.ended).status).not.toBe('SIGKILL');
  });

  test('is denied when its time is up, and only it waits meanwhile', async () => {
    const run = start(`cat ${out}/f & echo other; wait; echo end`, '--ask-timeout', '1');

    const { stdout, stderr } = await run.ended;

    expect(stdout).toBe('other\nend\n');
    expect(stderr).toContain('Permission denied');
  });

  test('is never asked where the plan gives it, where it fails anyway, and for what no approval opens', async () => {
    // In a directory that everybody writes, the kernel follows no link of somebody else.
    if (canBecomeOrdinaryUser()) {
      symlinkSync(join(out, 'new'), join(out, 'foreign'));
      lchownSync(join(out, 'foreign'), 1, 1);
    }
    await sh(
      `mkdir ${world.home}/.ssh; echo key > ${world.home}/.ssh/id; mkfifo ${out}/pipe; touch ${out}/none; chmod 0 ${out}/none`,
    );
    const missing = `cat ${out}/missing/x ${out}/f/x 2>&1; [ -e ${out}/f ] && echo seen; cat ${world.home}/.ssh/id 2>&1`;
    const state = `cat ${world.state}/sessions/*.json 2>&1 | head -1; echo x > ${world.home}/.ssh/new; cat ${out}/pipe 2>&1; [ -h ${out}/foreign ] && echo x > ${out}/foreign`;
    const run = start(`cat /etc/hostname > inside; ${missing}; ${state}; cat < /dev/null; ls -d .; exec 2>&1; cat ${out}/f/`);

    const { stdout } = await run.ended;

    expect(stdout).toContain('seen');
    expect(stdout.match(/Permission denied/g)?.length).toBeGreaterThanOrEqual(2);
    expect(stdout).toMatch(/missing\/x: No such file or directory/);
    expect(existsSync(join(world.home, '.ssh/new'))).toBe(false);
    expect(existsSync(join(out, 'new'))).toBe(false);
    expect(run.stderr()).not.toContain('waits to');
  });

  test('opens the file that was asked about when its path leads elsewhere by the time of the answer', async () => {
    await sh(`cd ${world.project}; ln -s ${out}/f link; mkdir -p ${out}/old; printf allowed > ${out}/old/h`);
    await sh(`cd ${world.project}; ln -s step nowhere; ln -s ${out}/made step`);
    const run = start(`cat link; echo; cat ${out}/old/h; echo; cat ${out}/f; echo new > nowhere`);
    const first = await asked(`${out}/f`);
    await sh(`cd ${world.project}; ln -sf ${out}/g link`);
    await answer('allow', first.id);
    const second = await asked(`${out}/old/h`);
    await sh(`mv ${out}/old ${out}/away; mkdir ${out}/old; printf secret > ${out}/old/h`);
    await answer('allow', second.id);
    const third = await asked(`${out}/f`);
    await sh(`rm ${out}/f; ln -s ${out}/g ${out}/f`);
    await answer('allow', third.id);
    const fourth = await asked(`${out}/made`);
    await sh(`cd ${world.project}; ln -sf ${out}/g step`);
    await answer('allow', fourth.id);

    const { stdout } = await run.ended;
    expect([fourth.access, readFileSync(join(out, 'made'), 'utf8'), readFileSync(join(out, 'g'), 'utf8')]).toEqual([
      'create',
      'new\n',
      'secret',
    ]);

    expect(stdout).toBe('allowed\nallowed\nallowed');
  });

  test('is allowed as it was shown: nothing that has joined its question since', async () => {
    await sh(`cd ${out}/sub; for name in a b c d e; do printf $name > $name; done`);
    const readers = ['a', 'b', 'c', 'd'].map((name) => `cat ${out}/sub/${name} &`).join(' ');
    const run = start(`${readers} until [ -e go ]; do sleep 0.05; done; cat ${out}/sub/e & wait`);
    const questions = await waitFor('four files', async () => {
      const found = await list();
      return found.reduce((sum, { paths }) => sum + paths.length, 0) === 4 && found;
    });
    const { id } = questions[2] as ListedQuestion;
    expect(questions.map(({ id: one }) => one)).toEqual(
      [1, 2, 3].map((number) => expect.stringMatching(`-${number}${number === 3 ? '\\+1' : ''}$`)),
    );
    writeFileSync(join(world.project, 'go'), '');
    const grown = await waitFor('the fifth', async () => (await list()).find(({ paths }) => paths.length === 3));

    for (const word of [id, id.replace('+1', ''), '3', id.replace('+1', '+9')]) {
      const { status, stdout, stderr } = await answer('allow', word);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toContain(`Cannot allow "${word}": it is about 3 paths by now [E_REFUSED]`);
    }
    expect(await answer('allow', '--always', '--yes', id)).toMatchObject({ status: 1 });
    expect(run.stdout()).toBe('');
    expect(await answer('allow', grown.id)).toMatchObject({ status: 0, stdout: `${grown.id}\n` });
    await answer('deny', ...questions.slice(0, 2).map(({ id: one }) => one));
    expect((await run.ended).stdout).toHaveLength(3);
  });

  test('is gone with its program, and its question too', async () => {
    const run = start(`cat ${out}/f & echo $!; wait; sleep 60`);
    await asked(`${out}/f`);
    const { pid } = (await list())[0] as ListedQuestion;
    process.kill(pid, 'SIGKILL');

    expect(await waitFor('no question', async () => (await list()).length === 0)).toBe(true);
    run.child.kill('SIGTERM');
  });

  test('is decided once, by whoever is first', async () => {
    const run = start(`cat ${out}/f; true`);
    const { id } = await asked(`${out}/f`);
    const results = await Promise.all([answer('allow', id), answer('deny', id), answer('allow', id), answer('deny', id)]);

    expect(results.map(({ status }) => String(status)).toSorted()).toEqual(['0', '4', '4', '4']);
    expect((await run.ended).stdout).toBe(results.findIndex(({ status }) => status === 0) % 2 === 0 ? 'allowed' : '');
  });

  test('shows control characters of its path escaped', async () => {
    await sh(`printf x > "$(printf '${out}/\\033[31mred\\a')"`);
    const run = start(`cat ${out}/*red*; true`);
    const found = await waitFor('the question', async () => (await list())[0]);
    // A pattern of the shell lists the directory first.
    await answer('allow', found.id);
    await waitFor('the file', async () => (await list()).find(({ access }) => access === 'read'));

    const shown = (await runNono(world, ['approvals'])).stdout;
    expect(shown).toContain(String.raw`\x1b[31mred\x07`);
    expect(shown).not.toContain('\u001b');
    expect(run.stderr()).not.toContain('\u001b');
  });

  test('to connect to a socket waits too', async () => {
    const socket = join(out, 's');
    const server = createServer((connection) => connection.end('hello'));
    await new Promise<void>((done) => server.listen(socket, done));
    chmodSync(socket, 0o777);
    const script = `import socket; s = socket.socket(socket.AF_UNIX); s.connect("${socket}"); print(s.recv(9))`;
    await sh(`echo '${script}' > ${world.project}/connect.py`);
    const run = start(`${PYTHON} connect.py`);
    const { id, access } = await asked(socket);
    await answer('allow', id);

    const { stdout } = await run.ended;
    server.close();
    expect(access).toBe('connect');
    expect(stdout).toBe("b'hello'\n");
  });

  test('runs the hook of the configuration, which may answer', async () => {
    mkdirSync(join(world.home, '.config/nono'), { recursive: true });
    const script = String.raw`read -r line; id=$(echo "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/'); echo "$line" > ${world.home}/seen; ${world.executable} allow $id`;
    writeFileSync(join(world.home, 'hook'), script);
    writeFileSync(join(world.home, '.config/nono/config.toml'), `[approvals]\nnotify = "sh ~/hook"\n`);
    const run = start(`cat ${out}/f`);

    const seen = join(world.home, 'seen');
    // There is a file before there is a line in it.
    const line = await waitFor('the hook', () => existsSync(seen) && (readFileSync(seen, 'utf8') || undefined));
    expect(line).toContain(`${out}/f`);
    expect((await run.ended).stdout).toBe('allowed');
  });

  test('is allowed for good by a line of the profile, which is shown first', async () => {
    const run = start(`cat ${out}/f; cat ${out}/f`);
    const { id } = await asked(`${out}/f`);
    const profile = join(world.home, '.config/nono/profiles/default.toml');

    expect(await answer('allow', '--always', id)).toMatchObject({ status: 2 });
    expect(existsSync(profile)).toBe(false);
    const { stdout, stderr } = await answer('allow', '--always', '--yes', id);
    expect(stdout).toBe(`${id}\n`);
    expect(stderr).toContain(`read_file = ["${out}/f"]`);
    expect((await run.ended).stdout).toBe('allowedallowed');
    const later = await runNono(world, ['run', '--allow-cwd', '--', 'cat', `${out}/f`]);
    expect(later).toMatchObject({ status: 0, stdout: 'allowed' });

    // A home that is kept in git: the link stays, and what it leads to is named and replaced.
    const kept = join(world.home, 'kept.toml');
    await sh(`mv ${profile} ${kept}; ln -s ${kept} ${profile}`);
    const second = start(`cat ${out}/g`);
    const added = await answer('allow', '--always', '--yes', (await asked(`${out}/g`)).id);
    expect(added.stderr).toContain(`Adds to ${kept}:`);
    expect((await second.ended).stdout).toBe('secret');
    expect(readFileSync(kept, 'utf8')).toContain(`read_file = ["${out}/g", "${out}/f"]`);
    expect(lstatSync(profile).isSymbolicLink()).toBe(true);
  });

  test('is allowed for good in the file of a profile whose place begins with ~, as a shell leaves it behind =', async () => {
    await sh(`touch ${world.home}/own.toml`);
    const run = start(`cat ${out}/f`, '--profile=~/own.toml');
    const { id } = await asked(`${out}/f`);

    const { stderr } = await answer('allow', '--always', '--yes', id);

    expect(stderr).toContain(`Adds to ${join(world.home, 'own.toml')}:`);
    expect((await run.ended).stdout).toBe('allowed');
    expect(readFileSync(join(world.home, 'own.toml'), 'utf8')).toContain(`read_file = ["${out}/f"]`);
  });

  test('is not allowed for good where each later run would be refused, and can be for the session', async () => {
    const made = join(world.home, 'made');
    const run = start(`echo made > ${made}`);
    const { id } = await asked(made);

    const refused = await answer('allow', '--always', '--yes', id);
    await answer('allow', '--session', id);

    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toContain(`that takes ${world.home}, which has ${world.state} in it, nono's own state [E_REFUSED]`);
    expect((await run.ended).status).toBe(0);
    expect(readFileSync(made, 'utf8')).toBe('made\n');
    expect(await runNono(world, ['run', '--allow-cwd', '--', 'echo', 'runs'])).toMatchObject({ status: 0, stdout: 'runs\n' });
  });

  test('is allowed for good in no other file than the one that is shown, whatever the command has made of its directory', async () => {
    const elsewhere = join(world.home, 'elsewhere');
    await sh(`mkdir ${elsewhere} conf && touch conf/own.toml`);
    const run = start(`mv conf old; ln -s ${elsewhere} conf; cat ${out}/f`, '--profile=./conf/own.toml');
    const { id } = await asked(`${out}/f`);

    const { stderr } = await answer('allow', '--always', '--yes', id);

    expect(stderr).toContain(`Writes ${join(elsewhere, 'own.toml')}:`);
    expect((await run.ended).stdout).toBe('allowed');
    expect(readFileSync(join(elsewhere, 'own.toml'), 'utf8')).toContain(`read_file = ["${out}/f"]`);
  });

  test.skipIf(ordinaryUser).for(['os.setuid(65534)', 'os.setgid(65534)', 'ctypes.CDLL(None).setfsgid(65534)'])(
    'is refused at once to a program that is somebody else by %s',
    async (change) => {
      await sh(`chmod 777 ${world.home} ${out} ${out}/f`);
      const script = `import ctypes, os\n${change}\ntry: open("${out}/f")\nexcept OSError as error: print(error.strerror)`;
      writeFileSync(join(world.project, 'change.py'), script);
      const run = start(`${PYTHON} change.py`);

      expect((await run.ended).stdout).toBe('Permission denied\n');
      expect(run.stderr()).not.toContain('waits to');
    },
  );

  test('ends with its tree when nono is killed', async () => {
    const session = await startDetached(world, '--ask', '--', 'sh', '-c', `cat ${out}/f > copy; sleep 60`);
    await asked(`${out}/f`);
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, session);
    process.kill(supervisor, 'SIGKILL');

    expect(await untilGone(child)).toBe(true);
    expect(readFileSync(join(world.project, 'copy'), 'utf8')).toBe('');
    expect(await list()).toEqual([]);
  });

  test('waits in the background until somebody answers', async () => {
    const session = await startDetached(world, '--ask', '--', 'sh', '-c', `cat ${out}/f > copy; echo new > ${out}/made`);
    await answer('allow', (await asked(`${out}/f`)).id);
    await answer('allow', (await asked(`${out}/made`)).id);

    await runNono(world, ['wait', session]);
    expect(readFileSync(join(world.project, 'copy'), 'utf8')).toBe('allowed');
    expect(readFileSync(join(out, 'made'), 'utf8')).toBe('new\n');
  });
});
