import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Injector } from './injection.ts';
import { type Outcome, runNono, runProgram, startNono } from './nono.ts';
import { startOnTerminal } from './raw-terminal.ts';
import { isAlive, readRecord, startDetached } from './sessions.ts';
import { waitFor } from './wait.ts';
import type { World } from './world.ts';

/** Longer than anything here takes under strace on a loaded machine; what has not ended then hangs. */
export const HANG_MS = 30_000;
const SECRET = 'not for everybody';
const SHOWN = 'ready';
const TYPED = 'typed';
const NAME = 'mine';
const SIGKILL = 9;
const DETACH = '\x1dd';

/** How it ended, whatever was hit. */
export interface Ended {
  readonly status: number | string | null;
  readonly text: string;
  /** What must not be, in words. */
  readonly wrong: readonly string[];
}

export interface Scenario {
  /** Starts what has to be there first. */
  prepare?(world: World): Promise<void>;
  /** Does what may meet a fault. */
  act(world: World, injector: Injector): Promise<Ended>;
  /** What may differ in the project afterwards: paths as dumpTree() has them. */
  readonly changes?: RegExp;
  /** How it ends without a fault; 0 unless it says otherwise. */
  readonly usual?: number;
  /** Puts back what the session before has changed; afterwards it is run until it is done. */
  readonly isRestore?: boolean;
}

function calls(...words: readonly string[]): Pick<Scenario, 'act'> {
  return {
    act: async (world, injector) => endOf(await runUnder(world, injector, words)),
  };
}

async function runUnder(world: World, injector: Injector, words: readonly string[]): Promise<Outcome> {
  return await runProgram(world, ['env', ...injector.words, world.executable, ...words], { timeoutMs: 2 * HANG_MS });
}

function endOf({ status, signal, stdout, stderr }: Outcome, wrong: readonly string[] = []): Ended {
  // SIGKILL is also what ends a test's program when its time is up; strace itself passes on how its own ended.
  return { status: status ?? signal, text: `${stdout}${stderr}`, wrong };
}

const attaching = {
  async prepare(world: World) {
    await startDetached(world, '--name', NAME, '--', 'sh', '-c', `stty -echo; echo ${SHOWN}; exec cat`);
    await waitFor('the command', async () => (await runNono(world, ['screen', NAME])).stdout.includes(SHOWN));
  },
};

/** Attaches, types a line that comes back, and leaves. @returns how the client ended. */
async function visit(world: World): Promise<Ended> {
  using terminal = startOnTerminal(world, ['attach', NAME]);
  let status: number | string | null | undefined;
  void terminal.ended.then((ended) => (status = ended));
  const until = (text: string) =>
    waitFor(`"${text}" in ${JSON.stringify(terminal.output())}`, () => status !== undefined || terminal.output().includes(text));
  const wrong: string[] = [];
  try {
    await until(SHOWN);
    terminal.type(`${TYPED}\n`);
    await until(TYPED);
    terminal.type(DETACH);
    await waitFor('the client to end', () => status !== undefined, HANG_MS);
    // Its last words may still be in the terminal.
    if (status !== 0) await waitFor('its words', () => terminal.output() !== '' || typeof status === 'string');
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    wrong.push(`the terminal: ${error.message}: ${JSON.stringify(terminal.output())}`);
  }
  return { status: status ?? null, text: terminal.output(), wrong };
}

/** What an attached terminal may do to a session that goes on: nothing. */
async function visitAgain(world: World): Promise<readonly string[]> {
  const again = await visit(world);
  return again.status === 0 ? [] : [`attached again: ${again.status} ${again.text}`, ...again.wrong];
}

/** Whoever asks for the file, and what was said about it. */
type Answer = 'allow' | 'deny' | 'stop';

/** Before a question it is that of the run, and then also that of whoever answers. */
function asks(answer: Answer): Scenario {
  return { prepare: makeSecret, act: (world, injector) => askAnd(world, answer, { run: injector.words, answer: [] }) };
}

async function makeSecret(world: World): Promise<void> {
  fs.mkdirSync(join(world.home, 'out'));
  fs.writeFileSync(join(world.home, 'out/f'), SECRET);
}

async function askAnd(
  world: World,
  answer: Answer,
  before: { readonly run: readonly string[]; readonly answer: readonly string[] },
): Promise<Ended> {
  // What it is refused is no reason to fail.
  const script = `cat ${world.home}/out/f; true`;
  const run = startNono({ ...world, asUser: [...world.asUser, ...before.run] }, askingWords(script), { timeoutMs: 2 * HANG_MS });
  let outcome: Outcome | undefined;
  void run.ended.then((ended) => (outcome = ended));
  const asked = await waitFor('a question, or the end', async () => outcome ?? (await questions(world))[0]?.id, HANG_MS + 5000);
  const isOver = () => outcome !== undefined;
  const wrong: string[] = [];
  let said: Outcome | undefined;
  if (typeof asked === 'string') {
    const words = answer === 'stop' ? ['stop', '--force', NAME] : [answer, asked];
    said = await runProgram(world, ['env', ...before.answer, world.executable, ...words], { timeoutMs: 2 * HANG_MS });
    // Whoever answers may have been hit, or the connection: then somebody answers anew, who may come too late.
    while (!isOver()) {
      const left = (await questions(world))[0]?.id;
      if (left !== undefined) await runNono(world, answer === 'stop' ? ['stop', '--force', NAME] : [answer, left]);
    }
  }
  const ended = await run.ended;
  const isOpened = ended.stdout.includes(SECRET);
  if (isOpened && answer !== 'allow') wrong.push(`opened without a yes: ${ended.stdout}`);
  const judged = before.answer.length > 0 && said !== undefined ? said : ended;
  return endOf(judged, wrong);
}

function askingWords(script: string): readonly string[] {
  return ['run', '--ask', '--allow-cwd', '--name', NAME, '--', 'sh', '-c', script];
}

async function questions(world: World): Promise<readonly { readonly id: string }[]> {
  const { stdout } = await runNono(world, ['approvals', '--json']);
  return stdout === '' ? [] : (JSON.parse(stdout) as { readonly approvals: readonly { readonly id: string }[] }).approvals;
}

/** What is done; before it a session has changed the project, and one without a rollback has ended. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  run: calls('run', '--allow-cwd', '--', 'true'),
  'run and snapshots': {
    ...calls('run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo more >a'),
    changes: /^\.\/(?:a|sub\/hard) |^\. /,
  },
  'detached start': calls('run', '--detached', '--allow-cwd', '--', 'true'),
  wrap: calls('wrap', '--allow-cwd', '--', 'true'),
  'attach: the client': {
    ...attaching,
    async act(world, injector) {
      const ended = await visit({ ...world, asUser: [...world.asUser, ...injector.words] });
      return { ...ended, wrong: [...ended.wrong, ...(await visitAgain(world))] };
    },
  },
  'attach: the session': {
    ...attaching,
    async act(world, injector) {
      const [id = ''] = fs.readdirSync(join(world.state, 'sessions')).flatMap((name) => /^(\w{6})\.sock$/.exec(name)?.[1] ?? []);
      const { supervisor_pid: supervisor } = readRecord(world, id);
      let ended: Ended;
      {
        await using _ = await injector.follow(supervisor);
        ended = await visit(world);
      }
      return isAlive(supervisor) ? { ...ended, wrong: [...ended.wrong, ...(await visitAgain(world))] } : ended;
    },
  },
  'a question that is allowed': asks('allow'),
  'a question that is denied': asks('deny'),
  'a question when all is stopped': { ...asks('stop'), usual: 128 + SIGKILL },
  'an answer': {
    prepare: makeSecret,
    act: (world, injector) => askAnd(world, 'allow', { run: [], answer: injector.words }),
  },
  restore: { ...calls('rollback', 'restore', 'latest'), isRestore: true },
  cleanup: calls('rollback', 'cleanup', '--keep', '0'),
  prune: calls('prune'),
};
