import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ATTEMPTS, type Attempt } from '../support/escape-attempts.ts';
import { runProgram } from '../support/nono.ts';
import { compileProbe, nameResult } from '../support/probe.ts';
import { needCommands } from '../support/tools.ts';
import { canBecomeOrdinaryUser, createWorld, USERS, type World } from '../support/world.ts';

/** On a terminal: letters that the probe types would be read by the user's shell. */
const TYPED = ['sti', 'sti_high_bits', 'sti_bit_32', 'tioclinux', 'exclusive'];

const CASES = ATTEMPTS.flatMap((attempt) =>
  ['run', 'wrap'].map((verb) => ({ ...attempt, verb, options: attempt.options ?? [], way: attempt })),
);

const probe = compileProbe();
if (probe === undefined) console.warn('No way out of the sandbox is tried: that needs a C compiler');
afterAll(() => probe?.[Symbol.dispose]());

describe.runIf(probe !== undefined).for(USERS)('a hostile command of $user', ({ ordinaryUser }) => {
  let world: World;
  let target: ChildProcess;
  let tcp: Server;
  let executable = '';
  const places = { process: '', port: '', abstract: '', socket: '', file: '', readable: '' };

  beforeAll(async () => {
    world = createWorld({ ordinaryUser });
    executable = probe?.copyTo(world) ?? '';
    places.file = join(world.project, 'own-file');
    // Made by the user itself, so that it is the owner.
    await runProgram(world, ['cp', executable, places.file]);
    await runProgram(world, ['mkdir', join(world.home, 'readable')]);
    places.readable = join(world.home, 'readable/file');
    await runProgram(world, ['cp', executable, places.readable]);
    tcp = await listen();
    places.port = String((tcp.address() as AddressInfo).port);
    places.abstract = `nono-test-${process.pid}-${places.port}`;
    places.socket = join(world.home, 's');
    const [file, ...words] = [...world.asUser, executable, 'serve', places.abstract, places.socket];
    // A process group of its own: the attempts are in the one of the tests.
    target = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    places.process = String(target.pid);
    await new Promise((resolve) => target.stdout?.once('data', resolve));
  });
  afterAll(() => {
    target.kill('SIGKILL');
    tcp.close();
    world[Symbol.dispose]();
  });

  // Those that need the same are tried by one run, one after the other, each in a process of its own.
  const tried = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const result = async (way: Attempt, verb?: string): Promise<string> => {
    const needs = needsOf(way);
    const key = `${verb} ${needs}`;
    const answers =
      tried.get(key) ??
      tryAll(
        ATTEMPTS.filter((other) => needsOf(other) === needs),
        verb,
      );
    tried.set(key, answers);
    return (await answers).get(way.attempt) ?? 'was not tried';
  };
  const tryAll = async (ways: readonly Attempt[], verb?: string): Promise<ReadonlyMap<string, string>> => {
    const [{ options = [], ...needs } = { options: [] }] = ways;
    const prefix = verb === undefined ? [] : [world.executable, verb, ...options, '--allow-cwd', '--'];
    const words = ways.flatMap(({ attempt, at }) => [attempt, at === undefined ? '' : places[at]]);
    const [file = '', ...rest] = [...prefix, executable, 'try', ...words];
    const { stdout } = await runProgram({ ...world, asUser: asAbleUser(world.asUser, needs) }, [file, ...rest]);
    return new Map(
      stdout.split(/^= /m).map((answer) => {
        const end = answer.indexOf('\n');
        return [answer.slice(0, end), nameResult(answer.slice(end))] as const;
      }),
    );
  };

  test.for(CASES)('under $verb $options: $attempt gets $inside', async ({ way, inside, verb }, context) => {
    const outside = await result(way);
    if (outside === inside) context.skip(`fails outside too: ${outside}`);
    if (isRefusedOutside(outside)) context.skip(`shows nothing: it fails outside with ${outside}`);

    expect(await result(way, verb)).toBe(inside);
  });

  test.for(TYPED.flatMap((attempt) => ['run', 'wrap'].map((verb) => ({ attempt, verb }))))(
    'under $verb on a terminal: $attempt gets EPERM',
    async ({ attempt, verb }, context) => {
      needCommands(context, 'script');
      // Where the kernel lets nobody else (dev.tty.legacy_tiocsti).
      const able = { ...world, asUser: asAbleUser(world.asUser, { capability: 'sys_admin' }) };
      const onTerminal = async (prefix: string): Promise<string> => {
        const { stdout } = await runProgram(able, ['script', '-qec', `${prefix} ./escape-probe ${attempt}`, '/dev/null']);
        // The terminal shows what is typed, too.
        return nameResult(/ok|(?:errno|signal) \d+/.exec(stdout)?.[0] ?? stdout);
      };
      const outside = await onTerminal('');
      if (outside === 'EIO') context.skip('this kernel lets nobody type into a terminal');
      expect(['ok', 'ENOTTY']).toContain(outside);

      expect(await onTerminal(`${world.executable} ${verb} --allow-cwd --`)).toBe('EPERM');
    },
  );
});

/** What has to be the same for ways that are tried by one run. */
function needsOf({ options, capability, network }: Attempt): string {
  return JSON.stringify([options, capability, network]);
}

/** The words that make somebody of root who can do it outside; nothing where we are not root. */
function asAbleUser(
  asUser: readonly string[],
  { capability, network }: Pick<Attempt, 'capability' | 'network'>,
): readonly string[] {
  if (!canBecomeOrdinaryUser()) return asUser;
  const surroundings = network === undefined ? [] : ['unshare', '--net', 'sh', '-c', `${network} && exec "$@"`, 'sh'];
  if (asUser.length === 0 || capability === undefined) return [...surroundings, ...asUser];
  const given = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
  return [...surroundings, ...asUser.slice(0, -1), ...given, '--'];
}

/** ENOKEY, ENODEV and the like say that the kernel did look; these say that it refused. */
function isRefusedOutside(outside: string): boolean {
  return ['EPERM', 'EACCES', 'ENOSYS', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESRCH', 'ENOTTY', 'ENODEV'].includes(outside);
}

function listen(): Promise<Server> {
  const server = createServer((socket) => socket.end());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(server));
  });
}
