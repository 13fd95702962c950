import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fill } from '../support/full-disk.ts';
import { mountTmpfs } from '../support/mount.ts';
import { runNono } from '../support/nono.ts';
import { readRecord, startDetached, untilGone } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

interface Event {
  readonly event: string;
  readonly pid?: number;
  readonly uid?: number;
  readonly reason?: string;
  readonly [field: string]: unknown;
}

async function readEvents(world: World, id: string): Promise<readonly Event[]> {
  const { stdout } = await runNono(world, ['inspect', id, '--events', '--json']);
  return (JSON.parse(stdout) as { readonly events: readonly Event[] }).events;
}

const logPath = (world: World, id: string) => join(world.state, 'sessions', `${id}.events.jsonl`);

/** One that has ended; its log is whole. */
async function endedSession(world: World): Promise<string> {
  const id = await startDetached(world, '--', 'cat');
  await runNono(world, ['send', id, 'x']);
  await runNono(world, ['stop', '--force', id]);
  return id;
}

describe('the audit log of a session', () => {
  test('tells who did what from the start to the end', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, '--name', 'first', '--', 'cat', '--', '-');
    await using one = await openTerminal(world);
    await using two = await openTerminal(world);
    const attach = `${world.executable} attach --steal ${id}`;
    await one.type(attach);
    await one.press('Enter');
    await waitFor('the first client', () => readRecord(world, id).attachment === 'attached');
    await two.type(attach);
    await two.press('Enter');
    await one.waitFor(/another terminal took over/);
    await runNono(world, ['rename', id, 'second']);
    await runNono(world, ['send', id, 'abc']);
    await runNono(world, ['detach', id]);
    await two.waitFor(/Detached from session/);
    await runNono(world, ['stop', id]);

    const events = await readEvents(world, id);
    expect(events.map(({ event }) => event)).toEqual([
      'start',
      'executed',
      'attach',
      'steal',
      'detach',
      'rename',
      'send',
      'detach',
      'stop',
      'end',
    ]);
    expect(events).toMatchObject([
      { session_id: id, name: 'first', command: ['cat', '--', '-'], policy_digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { child_pid: expect.any(Number), executable_digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { mode: 'attach' },
      { from_pid: events[2]?.pid },
      { reason: 'stolen', pid: events[2]?.pid },
      { name: 'second' },
      { bytes: 3 },
      { reason: 'dropped', pid: events[3]?.pid },
      { timeout_ms: 10_000, signal: null },
      { exit_code: 143, signal: 'SIGTERM', failure: null },
    ]);
    expect(new Set(events.filter(({ pid }) => pid !== undefined).map(({ uid }) => uid))).toEqual(new Set([process.getuid?.()]));
    expect((await runNono(world, ['inspect', id, '--events'])).stdout).toMatch(/^\S+ +steal +from_pid=\d+ /m);
  });

  test('tells of the snapshots, and keeps credentials out', async () => {
    using world = createWorld();
    const words = ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo x > made', '--token=hunter2'];
    expect((await runNono(world, words)).status).toBe(0);

    const exported = await runNono(world, ['audit', 'export', '--all', '--json']);
    const { ok, sessions } = JSON.parse(exported.stdout) as { ok: boolean; sessions: { events: Event[] }[] };
    expect(ok).toBe(true);
    expect(sessions[0]?.events).toMatchObject([
      { event: 'start', command: ['sh', '-c', 'echo x > made', '--token=[redacted]'] },
      { event: 'snapshot', label: 'baseline', manifest_digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { event: 'executed' },
      { event: 'snapshot', label: 'final' },
      { event: 'end', exit_code: 0 },
    ]);
    expect(exported.stdout).not.toContain('hunter2');
    expect((await runNono(world, ['rollback', 'restore', 'latest'])).status).toBe(0);
    const after = await runNono(world, ['audit', 'export', '--all', '--json']);
    expect(after.status).toBe(0);
    expect(JSON.parse(after.stdout)).toMatchObject({ ok: true, sessions: [{ event_count: 6 }] });
    expect(after.stdout).toMatch(/"event": "restore"/);
  });

  test('is the same for the same policy, and another for another', async () => {
    using world = createWorld();
    for (const words of [[], [], ['--block-net']]) await runNono(world, ['run', '--allow-cwd', ...words, '--', 'true']);
    const { stdout } = await runNono(world, ['audit', 'export', '--all']);
    const digests = stdout.match(/(?<="policy_digest":")[0-9a-f]+/g) ?? [];

    expect(digests).toHaveLength(3);
    expect(new Set(digests).size).toBe(2);
  });

  test.for([
    { what: 'a byte changed', change: (text: string) => text.replace('"bytes":1', '"bytes":2') },
    { what: 'its last line taken away', change: (text: string) => text.replace(/[^\n]*\n$/, '') },
    { what: 'a line taken out', change: (text: string) => text.replace(/\n[^\n]*\n/, '\n') },
    { what: 'everything taken away', change: () => '' },
  ])('with $what is found broken, with the line', async ({ change }) => {
    using world = createWorld();
    const id = await endedSession(world);
    expect(await runNono(world, ['audit', 'verify', id])).toMatchObject({ status: 0, stdout: `${id}  ok  5 events\n` });

    writeFileSync(logPath(world, id), change(readFileSync(logPath(world, id), 'utf8')));

    const { status, stdout } = await runNono(world, ['audit', 'verify', '--all']);
    expect({ status, stdout }).toMatchObject({ status: 3, stdout: expect.stringMatching(/ broken [^]*\n {2}line \d+: /) });
    expect((await runNono(world, ['inspect', '--events', id])).status).toBe(3);
    expect((await runNono(world, ['audit', 'export', id, '--json'])).status).toBe(3);
  });

  test('of a supervisor that was killed may end in the middle of a line', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    await runNono(world, ['send', id, 'x']);
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);
    appendFileSync(logPath(world, id), '{"format":1,"num');

    const { status, stdout } = await runNono(world, ['audit', 'verify', '--all', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, sessions: [{ session_id: id, torn: true, breaks: [] }] });
  });

  test('on a full disk misses what was asked and answered, and says so; the session goes on', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.state, 'size=400000');
    // Longer than what is left of the block that the last line is in.
    const deep = join(world.home, ...Array.from({ length: 15 }, () => 'd'.repeat(240)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'f'), 'allowed');
    writeFileSync(join(world.home, 'g'), 'denied');
    const script = `until [ -e go ]; do sleep 0.05; done; cat ${deep}/f > copy; cat ${world.home}/g >> copy; sleep 1000`;
    const id = await startDetached(world, '--ask', '--', 'sh', '-c', script);
    const asked = (access: string) =>
      waitFor(`a question to ${access}`, async () => (await runNono(world, ['approvals'])).stdout.includes(access));
    await waitFor('the executable', () => readFileSync(logPath(world, id), 'utf8').includes('executed'));
    fill(world);

    writeFileSync(join(world.project, 'go'), '');
    await asked('ddd');
    expect(await runNono(world, ['allow', `${id}-1`])).toMatchObject({ status: 0 });
    await asked('/g');
    expect(readFileSync(join(world.project, 'copy'), 'utf8')).toBe('allowed');
    rmSync(join(world.state, 'filler'));
    expect(await runNono(world, ['deny', `${id}-2`])).toMatchObject({ status: 0 });
    const { stderr } = await runNono(world, ['stop', '--force', id]);

    expect(stderr).toMatch(/\d+ events? (?:is|are) missing in the audit log/);
    const gaps = (await readEvents(world, id)).filter(({ event }) => event === 'gap');
    expect(gaps[0]).toMatchObject({ reason: 'ENOSPC' });
    const { stdout } = await runNono(world, ['audit', 'verify', id]);
    expect(stdout).toMatch(/ {2}ok {2}\d+ events, \d+ missing that the disk did not take\n$/);
  });

  test('asks for a session that there is', async () => {
    using world = createWorld();

    expect((await runNono(world, ['audit', 'verify'])).status).toBe(2);
    expect((await runNono(world, ['audit', 'verify', 'x', '--all'])).status).toBe(2);
    expect((await runNono(world, ['audit', 'export', 'nobody'])).status).toBe(4);
    expect(await runNono(world, ['audit', 'verify', '--all'])).toMatchObject({ status: 0, stdout: 'No logs to verify\n' });
    expect((await runNono(world, ['audit', 'frobnicate'])).status).toBe(2);
  });
});
