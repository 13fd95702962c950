import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClientMessage, encodeClientMessage } from '../../src/session/messages.ts';
import { runs } from '../support/effort.ts';
import { whatIsWrong } from '../support/fuzz-verbs.ts';
import { memoryDirectory } from '../support/memory.ts';
import { mutate, mutations } from '../support/mutate.ts';
import { runNono } from '../support/nono.ts';
import { isAlive, readRecord, startDetached } from '../support/sessions.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

const CONVERSATIONS = runs(import.meta.filename, 3000);
const CALLS = runs(import.meta.filename, 1000);
/** A supervisor that does not say anything by then goes on with its work. */
const LISTENED_MS = 5;
let world: World;
let id: string;

beforeAll(async () => {
  world = createWorld({ place: memoryDirectory(), ordinaryUser: canBecomeOrdinaryUser() });
  id = await startDetached(world, '--name', 'mine', '--', 'cat');
});
afterAll(() => world[Symbol.dispose]());

const hello = (mode: 'attach' | 'steal' | 'view' | 'control'): ClientMessage => ({
  kind: 'hello',
  mode,
  size: { columns: 80, rows: 24 },
  terminal: 'xterm',
  capabilities: [],
});
/** Whatever a client may say, but for what ends the session as it is meant to. */
const MESSAGES: readonly ClientMessage[] = [
  ...(['attach', 'steal', 'view', 'control'] as const).map(hello),
  { kind: 'data', data: Buffer.from('abc\n\x1b[6n') },
  { kind: 'resize', size: { columns: 100, rows: 50 } },
  { kind: 'detach' },
  ...(['status', 'detach', 'screen'] as const).map((verb) => ({ kind: 'request', request: { verb } }) as const),
  { kind: 'request', request: { verb: 'rename', name: 'other' } },
  { kind: 'request', request: { verb: 'send', data: Buffer.from('x') } },
  { kind: 'request', request: { verb: 'log', follow: true } },
  { kind: 'request', request: { verb: 'approvals', since: undefined } },
  { kind: 'request', request: { verb: 'decide', number: 1, decision: 'once', note: null } },
  { kind: 'request', request: { verb: 'checkpoint', label: 'x' } },
];

/** Sends pieces to the session's socket, and goes. */
async function say(pieces: readonly Buffer[]): Promise<void> {
  const socket = connect(join(world.state, 'sessions', `${id}.sock`));
  // The supervisor hangs up on nonsense, maybe before all of it is written.
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  for (const piece of pieces) socket.write(piece);
  await sleep(LISTENED_MS);
  socket.destroy();
}

test('a session goes on, whatever anybody says on its socket', async () => {
  const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
  const conversation = fc.array(
    fc.record({ message: fc.constantFrom(...MESSAGES), changes: fc.option(mutations, { freq: 2, nil: [] }) }),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(conversation, async (spoken) => {
      await say(spoken.map(({ message, changes }) => mutate(Buffer.from(encodeClientMessage(message)), changes)));
      expect({ supervisor: isAlive(supervisor), child: isAlive(child) }).toEqual({ supervisor: true, child: true });
    }),
    { numRuns: CONVERSATIONS },
  );
  const { status, stdout, stderr } = await runNono(world, ['ps', '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject([{ session_id: id, status: 'running', attachment: 'detached' }]);
});

const VERBS = (
  'run shell wrap attach detach send stop wait approvals allow deny ps inspect logs screen rename prune why audit rollback setup doctor ' +
  'profile config completion help list show review restore checkpoint verify export cleanup __complete validate'
).split(' ');
const OPTIONS = (
  '--json --all --tail --snapshot --timeout --signal --allow --read --profile --env-file --keep --older-than --cast --patch --tar --ask ' +
  '--name --dry-run -h - -- --- --= --json='
).split(' ');
const VALUES = [
  '',
  'mine',
  'latest',
  '0..1',
  '-1',
  '1e308',
  '99999999999999999999',
  'NaN',
  '0x10',
  '../../..',
  '/dev/null/x',
  '\xff\xfe',
  'a\nb',
  '\x1b[2J',
  '__proto__',
  'constructor',
  '~',
  '$HOME',
  '%s%n',
  'x'.repeat(5000),
  '\u{1f9ea}',
  '20200101-000000-1',
];

test('nono explains whatever words it is called with', async () => {
  const word = fc.oneof(fc.constantFrom(...OPTIONS), fc.constantFrom(...VALUES), fc.constantFrom(...VERBS));
  const words = fc.tuple(fc.constantFrom(...VERBS), fc.array(word, { maxLength: 5 })).map(([verb, more]) => [verb, ...more]);
  await fc.assert(
    fc.asyncProperty(words, async (call) => {
      // What follows is no test of nono: the session ends as was asked for, a shell waits, `cat` reads.
      if (call.includes('stop') || call.includes('wait') || call.includes('shell') || call.includes('-f')) return;
      const outcome = await runNono(world, call, { timeoutMs: 20_000 });
      const isOwnStatus = call[0] === 'run' || call[0] === 'wrap' || call[0] === 'attach';
      const wrong = whatIsWrong(outcome, [isOwnStatus ? (call[0] ?? '') : 'ps']);
      expect({ call, ...outcome, wrong }).toMatchObject({ wrong: undefined });
    }),
    { numRuns: CALLS },
  );
});
