import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ClientMessage, decodeServerMessage, encodeClientMessage, type ServerMessage } from '../../src/session/messages.ts';
import { encodeFrame, FRAME, FrameDecoder } from '../../src/session/protocol.ts';
import { runNono, runProgram } from '../support/nono.ts';
import { randomNumbers } from '../support/random.ts';
import { readRecord, startDetached, startScript, untilGone } from '../support/sessions.ts';
import { needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const HELLO = encodeClientMessage({
  kind: 'hello',
  mode: 'control',
  size: { columns: 80, rows: 24 },
  terminal: '',
  capabilities: [],
});
const STATUS = encodeClientMessage({ kind: 'request', request: { verb: 'status' } });

function someHello(next: (below: number) => number): Buffer {
  const mode = (['attach', 'steal', 'view', 'control'] as const)[next(4)] ?? 'control';
  const size = { columns: 1 + next(300), rows: 1 + next(100) };
  return Buffer.from(encodeClientMessage({ kind: 'hello', mode, size, terminal: 'xterm', capabilities: [] }));
}

/** Mostly what a client of some mode may send; one in fifty is not. Nothing asks for the end of the session. */
function someFrame(next: (below: number) => number): Buffer {
  const data = randomBytes(next(300));
  const size = { columns: 1 + next(300), rows: 1 + next(100) };
  const request = ([{ verb: 'status' }, { verb: 'rename', name: '../x' }, { verb: 'send', data }] as const)[next(3)] ?? {
    verb: 'status',
  };
  const choices: readonly ClientMessage[] = [
    { kind: 'data', data },
    { kind: 'resize', size },
    { kind: 'request', request },
  ];
  const frame = Buffer.from(encodeClientMessage(choices[next(3)] ?? { kind: 'data', data }));
  const damage = next(150);
  if (damage === 0) frame[next(frame.length)] = next(256);
  if (damage === 1) return randomBytes(1 + next(100));
  if (damage === 2) return frame.subarray(0, next(frame.length));
  return frame;
}

const socketPath = (world: World, id: string) => join(world.state, 'sessions', `${id}.sock`);

/** A client that writes what it likes. */
async function open(
  path: string,
): Promise<{ readonly socket: Socket; readonly messages: ServerMessage[]; readonly closed: Promise<unknown> }> {
  const socket = connect(path);
  const messages: ServerMessage[] = [];
  const decoder = new FrameDecoder();
  socket.on('data', (data) => {
    for (const frame of decoder.push(new Uint8Array(data as Buffer))) messages.push(decodeServerMessage(frame));
  });
  socket.on('error', () => undefined);
  // Not once(): it rejects when a write finds the connection closed.
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await once(socket, 'connect');
  return { socket, messages, closed };
}

async function answersStill(path: string): Promise<void> {
  const { socket, messages } = await open(path);
  socket.write(HELLO);
  socket.write(STATUS);
  await waitFor('an answer', () => messages.some(({ kind }) => kind === 'answer'));
  socket.destroy();
}

describe('the control socket of a session', () => {
  test("is only its owner's, and its place too", async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');

    expect(statSync(socketPath(world, id)).mode & 0o777).toBe(0o600);
    expect(statSync(join(world.state, 'sessions')).mode & 0o777).toBe(0o700);
    await runNono(world, ['stop', '--force', id]);
  });

  test('says nothing to another user who got at it', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const id = await startDetached(world, '--', 'cat');
    // The test is root, whom no mode keeps out: the uid of the peer does.
    const { messages, socket, closed } = await open(socketPath(world, id));
    socket.write(HELLO);
    socket.write(STATUS);

    await closed;
    expect(messages).toEqual([]);
    const own = await runProgram(world, [world.executable, 'send', id, 'x']);
    expect(own.status).toBe(0);
    await runNono(world, ['stop', '--force', id]);
  });

  const badHello = encodeFrame({ type: FRAME.hello, payload: Buffer.from('{"mode":"root"}') });
  test.for([
    { what: 'another version', bytes: Buffer.from([2, 1, 0, 0, 0, 0, 0, 0]) },
    { what: 'text', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { what: 'a frame that is too long', bytes: Buffer.from([1, 2, 0, 0, 0xff, 0xff, 0xff, 0x7f]) },
    { what: 'a hello that is none', bytes: Buffer.from(badHello) },
    { what: 'input before the hello', bytes: Buffer.from(encodeClientMessage({ kind: 'data', data: Buffer.from('x') })) },
    { what: 'a second hello', bytes: Buffer.concat([HELLO, HELLO]) },
    {
      what: 'input from a client that may not type',
      bytes: Buffer.concat([HELLO, encodeClientMessage({ kind: 'data', data: Buffer.from('x') })]),
    },
    {
      what: 'what a supervisor says',
      bytes: Buffer.concat([HELLO, encodeFrame({ type: FRAME.output, payload: Buffer.from('x') })]),
    },
  ])('closes a connection that sends $what, says why, and goes on', async ({ bytes }) => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const { socket, messages, closed } = await open(socketPath(world, id));
    socket.write(bytes);

    await closed;
    expect(messages.at(-1)).toMatchObject({ kind: 'error', code: 'protocol' });
    await answersStill(socketPath(world, id));
    await runNono(world, ['stop', '--force', id]);
  });

  test('outlives clients that send noise, break off in the middle of a frame, or never say a word', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const path = socketPath(world, id);
    const silent = await Promise.all(Array.from({ length: 100 }, () => open(path)));
    for (let round = 0; round < 100; round++) {
      const { socket } = await open(path);
      if (round % 2 === 0) socket.write(HELLO.subarray(0, round % HELLO.length));
      else socket.write(Buffer.concat([HELLO, Buffer.from([1, 1 + (round % 6), 0, 0, round, 0, 0, 0]), randomBytes(round)]));
      socket.destroySoon();
    }

    await answersStill(path);
    expect(readRecord(world, id).status).toBe('running');
    for (const { socket } of silent) socket.destroy();
    await runNono(world, ['stop', '--force', id]);
  });

  test('answers two hundred at once', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const clients = await Promise.all(Array.from({ length: 200 }, () => open(socketPath(world, id))));
    for (const { socket } of clients) socket.write(Buffer.concat([HELLO, STATUS]));

    await waitFor('all answers', () => clients.every(({ messages }) => messages.some(({ kind }) => kind === 'answer')), 30_000);
    expect(new Set(clients.flatMap(({ messages }) => messages.map(({ kind }) => kind)))).toEqual(new Set(['welcome', 'answer']));
    for (const { socket } of clients) socket.destroy();
    await runNono(world, ['stop', '--force', id]);
  });

  test('outlives a hundred thousand frames that are valid, changed in a byte, or noise', async () => {
    using world = createWorld();
    const id = await startScript(world, 'stty raw -echo; exec cat > /dev/null');
    const path = socketPath(world, id);
    const supervisor = readRecord(world, id).supervisor_pid;
    const next = randomNumbers(20_260_219);
    for (let sent = 0; sent < 100_000; ) {
      const { socket, closed } = await open(path);
      const frames = Array.from({ length: 1 + next(200) }, (_, at) => (at === 0 ? someHello(next) : someFrame(next)));
      sent += frames.length;
      // In pieces that end anywhere; the connection may have been closed for what is in an earlier one.
      const data = Buffer.concat(frames);
      for (let at = 0; at < data.length && !socket.destroyed; ) {
        const length = 1 + next(5000);
        socket.write(data.subarray(at, at + length));
        at += length;
      }
      socket.end();
      socket.resume();
      if (next(4) === 0) socket.destroy();
      await closed;
    }

    await answersStill(path);
    expect(readRecord(world, id)).toMatchObject({ status: 'running', supervisor_pid: supervisor });
    await runNono(world, ['stop', '--force', id]);
  }, 120_000);

  test('keeps a client that reads nothing from delaying the command or another client', async () => {
    using world = createWorld();
    const script = 'head -c 60000000 /dev/zero | tr "\\0" x; echo done > finished; cat';
    const id = await startScript(world, `read -r line; ${script}`);
    const { socket, closed } = await open(socketPath(world, id));
    socket.pause();
    socket.write(
      encodeClientMessage({ kind: 'hello', mode: 'attach', size: { columns: 80, rows: 24 }, terminal: '', capabilities: [] }),
    );
    socket.write(encodeClientMessage({ kind: 'data', data: Buffer.from('\r') }));

    await waitFor('all to be written', async () => (await runProgram(world, ['cat', 'finished'])).status === 0, 30_000);
    await answersStill(socketPath(world, id));
    expect(await runNono(world, ['detach', id])).toMatchObject({ status: 0 });
    await waitFor('the record of the detach', () => readRecord(world, id).attachment === 'detached');
    socket.destroy();
    await closed;
    await runNono(world, ['stop', '--force', id]);
  });

  test('works below a path that is longer than an address', async () => {
    using world = createWorld();
    const environment = { NONO_HOME: join(world.directory, 'd'.repeat(100), 'e'.repeat(100)) };
    const started = await runNono(world, ['run', '--detached', '--allow-cwd', '--name', 'deep', '--', 'cat'], { environment });
    expect(started.status).toBe(0);

    expect((await runNono(world, ['send', 'deep', 'x'], { environment })).status).toBe(0);
    expect((await runNono(world, ['stop', 'deep'], { environment })).status).toBe(0);
  });

  test('comes back when somebody removed it, for whoever asks', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const watching = await open(socketPath(world, id));
    watching.socket.write(HELLO);
    for (const words of [
      ['send', id, 'x'],
      ['rename', id, 'again'],
      ['stop', id],
    ]) {
      rmSync(socketPath(world, id));
      expect((await runNono(world, words)).status).toBe(0);
    }

    // A connection from before sees the end too.
    await watching.closed;
    expect(watching.messages.at(-1)).toMatchObject({ kind: 'exit', end: { reason: 'ended' } });
    expect(existsSync(socketPath(world, id))).toBe(false);
  });

  test('keeps whoever connected before it was removed, and was not yet accepted', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const supervisor = readRecord(world, id).supervisor_pid;
    process.kill(supervisor, 'SIGSTOP');
    const early = await open(socketPath(world, id));
    early.socket.write(HELLO);
    early.socket.write(STATUS);
    rmSync(socketPath(world, id));
    process.kill(supervisor, 'SIGUSR1');
    process.kill(supervisor, 'SIGCONT');

    await waitFor('the name to be there again', () => existsSync(socketPath(world, id)));
    await waitFor('an answer to the earlier one', () => early.messages.some(({ kind }) => kind === 'answer'));
    await answersStill(socketPath(world, id));

    early.socket.destroy();
    expect((await runNono(world, ['stop', id])).status).toBe(0);
  });

  test('of a session that was lost is removed by whoever sees it', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);
    expect(existsSync(socketPath(world, id))).toBe(true);

    expect((await runNono(world, ['ps', '--all'])).stdout).toContain('lost');
    expect(existsSync(socketPath(world, id))).toBe(false);
  });

  test('is nowhere when the state directory is open to others', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    chmodSync(join(world.state, 'sessions'), 0o770);

    const refused = await runNono(world, ['send', id, 'x']);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('chmod 700') });
    chmodSync(join(world.state, 'sessions'), 0o700);
    await runNono(world, ['stop', '--force', id]);
  });
});
