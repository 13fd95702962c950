import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import { SystemError } from '../../src/errors.ts';
import { createNodeSockets } from '../../src/platform/node/socket.ts';
import { connectClient, socketName } from '../../src/session/client.ts';
import type { ControlRequest } from '../../src/session/control-requests.ts';
import { runNono, startNono } from '../support/nono.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** 10,000 by `NONO_RACE_ROUNDS=10000 npx vitest run … test/e2e/approval-race.test.ts`: a minute. */
const ROUNDS = Number(process.env['NONO_RACE_ROUNDS'] ?? 200);
const ROUND_MS = 100;

/** Says for each line that it reads what the path leads to. */
const READER = `
import sys
for line in sys.stdin:
    try:
        with open("way/f") as file: print(file.read(), flush=True)
    except OSError as error: print(error.strerror, flush=True)
`;

import { PYTHON } from '../support/tools.ts';

interface Asked {
  readonly version: number;
  readonly questions: readonly { readonly number: number; readonly path: string }[];
}

/** Asks a supervisor one thing after the other. @returns undefined while nobody listens. */
async function openControl(world: World, id: string) {
  const address = { directory: join(world.state, 'sessions') as Bytes, name: socketName(id) };
  let content: Uint8Array[] = [];
  let done: (content: string) => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  try {
    const { send } = await connectClient(createNodeSockets(), address, {
      onMessage(message) {
        if (message.kind === 'content') content.push(message.data);
        if (message.kind !== 'answer') return;
        done(Buffer.concat(content).toString('utf8'));
        content = [];
      },
      onClose: () => failed(new Error('The session is gone')),
    });
    send({ kind: 'hello', mode: 'control', size: { columns: 80, rows: 24 }, terminal: '', capabilities: [] });
    return (request: ControlRequest) =>
      new Promise<string>((resolve, reject) => {
        [done, failed] = [resolve, reject];
        send({ kind: 'request', request });
      });
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** The same places in each round: `out/f`, reached by the link `way` of the project. */
function lay(world: World): void {
  const out = join(world.home, 'out');
  for (const path of [out, `${out}-away`]) rmSync(path, { recursive: true, force: true });
  rmSync(join(world.project, 'way'), { force: true });
  mkdirSync(out);
  writeFileSync(join(out, 'f'), 'allowed');
  symlinkSync(out, join(world.project, 'way'));
}

/** What changes between the question and the answer. */
const SWAPS: readonly ((world: World) => void)[] = [
  // The file becomes a link.
  ({ home }) => {
    symlinkSync(join(home, 'secret/f'), join(home, 'next'));
    renameSync(join(home, 'next'), join(home, 'out/f'));
  },
  // Another file.
  ({ home }) => {
    writeFileSync(join(home, 'next'), 'secret');
    renameSync(join(home, 'next'), join(home, 'out/f'));
  },
  // The directory becomes a link.
  ({ home }) => {
    renameSync(join(home, 'out'), join(home, 'out-away'));
    symlinkSync(join(home, 'secret'), join(home, 'out'));
  },
  // The directory is another one.
  ({ home }) => {
    renameSync(join(home, 'out'), join(home, 'out-away'));
    mkdirSync(join(home, 'out'));
    writeFileSync(join(home, 'out/f'), 'secret');
  },
  // The way to it leads elsewhere.
  ({ home, project }) => {
    rmSync(join(project, 'way'));
    symlinkSync(join(home, 'secret'), join(project, 'way'));
  },
  // The file is gone.
  ({ home }) => rmSync(join(home, 'out/f')),
];

test('a yes opens what was asked about or nothing, whatever its path leads to by then', {
  timeout: 60_000 + ROUNDS * ROUND_MS,
}, async () => {
  using world = createWorld();
  mkdirSync(join(world.home, 'secret'));
  writeFileSync(join(world.home, 'secret/f'), 'secret');
  writeFileSync(join(world.project, 'reader.py'), READER);
  lay(world);
  const run = startNono(world, ['run', '--ask', '--allow-cwd', '--', PYTHON, 'reader.py'], {
    keepsInput: true,
    timeoutMs: 60_000 + ROUNDS * ROUND_MS,
  });
  const results = createInterface({ input: run.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const id = await waitFor('the session', async () => /[0-9a-f]{6}/.exec((await runNono(world, ['ps'])).stdout)?.[0]);
  const request = await waitFor('its socket', () => openControl(world, id));
  const seen = new Map<string, number>();
  let version = 0;

  for (let round = 0; round < ROUNDS; round++) {
    lay(world);
    run.child.stdin?.write('go\n');
    let asked: Asked;
    do {
      asked = JSON.parse(await request({ verb: 'approvals', since: version })) as Asked;
      version = asked.version;
    } while (asked.questions.length === 0);
    expect(asked.questions[0]?.path).toBe(join(world.home, 'out/f'));
    SWAPS[round % SWAPS.length]?.(world);
    await request({ verb: 'decide', number: asked.questions[0]?.number ?? 0, decision: 'once', note: null });
    const { value } = await results.next();
    seen.set(String(value), (seen.get(String(value)) ?? 0) + 1);
  }
  run.child.stdin?.end();
  await run.ended;

  expect(seen.get('secret')).toBeUndefined();
  expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(ROUNDS);
  expect(seen.get('allowed') ?? 0).toBeGreaterThan(ROUNDS / 2);
});
