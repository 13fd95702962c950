import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { createWorld, USERS, type World } from '../support/world.ts';

/** Each of these works without nono. It fails when one of them does. */
const PROGRAM = `
import os, socket
def connect(family, to):
    socket.socket(family).connect(to)
home = os.environ["HOME"]
failed = 0
for call in (lambda: os.chmod(home + "/file", 0o600), lambda: os.utime(home + "/directory"), lambda: connect(socket.AF_UNIX, home + "/socket")):
    try: call()
    except PermissionError: failed = 1
raise SystemExit(failed)
`;
const SERVER = `
import os, socket, sys
server = socket.socket(socket.AF_UNIX); server.bind("socket"); server.listen(100)
print("ready", flush=True)
sys.stdin.read()
`;

describe.for(USERS)('a command of $user that failed', ({ ordinaryUser }) => {
  let world: World;
  let server: ChildProcess;
  const words = ['--', PYTHON, '-c', PROGRAM];
  beforeAll(async () => {
    world = createWorld({ ordinaryUser });
    await runProgram(world, ['sh', '-c', 'touch file; mkdir directory'], { cwd: world.home });
    const [file, ...rest] = [...world.asUser, PYTHON, '-c', SERVER];
    server = spawn(file, rest, { cwd: world.home, stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => server.stdout?.once('data', resolve));
  });
  afterAll(() => {
    server.kill('SIGKILL');
    world[Symbol.dispose]();
  });

  const expected = (): readonly string[] => [
    `Denied: change mode, owner, times or attributes of ${world.home}/file (--write-file ${world.home}/file gives it)`,
    `Denied: change mode, owner, times or attributes of ${world.home}/directory (--write ${world.home}/directory gives it)`,
    `Denied: connect to ${world.home}/socket (--allow-socket ${world.home}/socket gives it)`,
  ];

  test('is told what it was refused, and what it is told gives it', async (context) => {
    needCommands(context, PYTHON);
    expect((await runProgram(world, [PYTHON, '-c', PROGRAM])).status).toBe(0);

    const refused = await runNono(world, ['run', '--allow-cwd', ...words]);
    expect(refused.status).toBe(1);
    for (const line of expected()) expect(refused.stderr).toContain(`[nono] ${line}\n`);

    const options = Array.from(refused.stderr.matchAll(/\((--\S+) (\S+) gives it\)/g), ([, option = '', path = '']) => [
      option,
      path,
    ]);
    const given = await runNono(world, ['run', '--allow-cwd', ...options.flat(), ...words]);
    expect(given.stderr).not.toContain('Denied');
    expect(given.status).toBe(0);
  });

  test('is told what a granted file is not: one that can be replaced', async () => {
    const save = ['--', 'sh', '-c', 'echo new > "$1.tmp" && mv "$1.tmp" "$1"', 'sh', `${world.home}/directory/saved`];
    await runProgram(world, ['touch', 'directory/saved'], { cwd: world.home });
    const refused = await runNono(world, ['run', '--allow-cwd', '--allow-file', `${world.home}/directory/saved`, ...save]);
    expect(refused.status).not.toBe(0);
    const [, option = '', directory = ''] = /as many programs save, takes (--allow) (\S+)\n/.exec(refused.stderr) ?? [];

    const given = await runNono(world, ['run', '--allow-cwd', option, directory, ...save]);
    expect(given).toMatchObject({ status: 0, stderr: '' });
  });

  test('leaves what it was refused in the audit log, where it is detached too', async (context) => {
    needCommands(context, PYTHON);
    for (const mode of [[], ['--detached']]) {
      const name = `audited${mode.length}`;
      await runNono(world, ['run', ...mode, '--name', name, '--allow-cwd', ...words]);
      await runNono(world, ['wait', name]);
      const { stdout } = await runNono(world, ['inspect', name, '--events', '--json']);
      const { events } = JSON.parse(stdout) as { readonly events: readonly Readonly<Record<string, unknown>>[] };
      expect(events.filter(({ event }) => event === 'refused').map(({ access, target }) => [access, target])).toEqual([
        ['change', `${world.home}/file`],
        ['change', `${world.home}/directory`],
        ['connect', `${world.home}/socket`],
      ]);
    }
  });

  test('is told on its terminal', async (context) => {
    needCommands(context, PYTHON, 'script');
    const script = join(world.project, 'program.py');
    await runProgram(world, ['sh', '-c', 'cat > program.py'], { input: PROGRAM });
    const command = `${world.executable} run --allow-cwd -- ${PYTHON} ${script}`;
    const { stdout } = await runProgram(world, ['script', '-qec', command, '/dev/null']);
    for (const line of expected()) expect(stdout).toContain(line);
  });
});
