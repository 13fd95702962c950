import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { createWorld, USERS, type World } from '../support/world.ts';

interface Answer {
  readonly status: string;
  readonly probe: string;
  readonly way: string | null;
}

const PAIRS = ['run', 'wrap'].flatMap((outer) => ['run', 'wrap'].map((inner) => ({ outer, inner })));
const SAID = '[nono] Inside another nono: connects and changes of mode, owner and times go by the grants of that one\n';

/** A project of the outer nono with the executable, a place for the inner one's state, and a project of its own. */
function createNest(ordinaryUser: boolean): World {
  const world = createWorld({ ordinaryUser });
  copyFileSync(world.executable, join(world.project, 'nono'));
  chmodSync(join(world.project, 'nono'), 0o755);
  for (const name of ['state', 'inner', 'beside']) {
    mkdirSync(join(world.project, name), { mode: 0o700 });
    writeFileSync(join(world.project, name, 'file'), 'x', { mode: 0o600 });
  }
  return world;
}

/** Files that root made are the user's. */
async function give(world: World): Promise<void> {
  if (world.asUser.length === 0) return;
  await runProgram({ ...world, asUser: [] }, ['chown', '-R', '65534:65534', world.project]);
}

describe.for(USERS)('nono inside nono, of $user', ({ ordinaryUser }) => {
  const inNest = async (world: World, { outer, inner }: { outer: string; inner: string }, options: string, script: string) => {
    await give(world);
    const whole = `cd inner; NONO_HOME=../state ../nono ${inner} ${options} --allow-cwd -- sh -c "$0"`;
    return runNono(world, [outer, '--allow-cwd', '--', 'sh', '-c', whole, script]);
  };

  test.for(PAIRS)('$inner in $outer adds its own rules, and leaves mediation to the outer one, which it says', async (pair) => {
    using world = createNest(ordinaryUser);
    const script = `touch new; chmod 600 new; stat -c %a new
cat ../beside/file 2>/dev/null || echo closed; touch ../beside/new 2>/dev/null || echo closed; kill -0 $PPID 2>/dev/null || echo kept
chmod 640 ../beside/file && stat -c %a ../beside/file
chmod 600 /etc/hostname 2>/dev/null || echo refused; cat ${world.home}/x 2>/dev/null || echo closed
touch "$TMPDIR/f" && echo temporary`;

    const { status, stdout, stderr } = await inNest(world, pair, '', script);

    // What the outer one's grants allow is changed: the one thing that the inner one cannot keep to its own.
    expect({ status, lines: stdout.trim().split('\n'), stderr }).toEqual({
      status: 0,
      lines: ['600', 'closed', 'closed', 'kept', '640', 'refused', 'closed', 'temporary'],
      stderr: SAID,
    });
    expect(lstatSync(join(world.project, 'inner/new')).mode & 0o777).toBe(0o600);
  });

  test.for(PAIRS)(
    '$inner in $outer connects by the grants of the outer one, and without a network to nothing',
    async (pair, context) => {
      needCommands(context, PYTHON);
      using world = createNest(ordinaryUser);
      const outside = join(world.home, 's');
      let visitors = 0;
      const server = createServer((connection) => {
        visitors++;
        connection.end();
      });
      await new Promise<void>((resolve) => server.listen(outside, resolve));
      chmodSync(outside, 0o777);
      const code = `import socket, errno, os
def name(call):
    try: call(); return 'ok'
    except OSError as error: return errno.errorcode[error.errno]
s = socket.socket(socket.AF_UNIX); s.bind('own'); s.listen(5)
print(*[name(lambda: socket.socket(socket.AF_UNIX).connect(path)) for path in ('${outside}', 'own')]); os.unlink('own')`;
      await give(world);
      writeFileSync(join(world.project, 'inner/connect.py'), code, { mode: 0o644 });

      const open = await inNest(world, pair, '', `${PYTHON} connect.py`);
      const blocked = await inNest(world, pair, '--block-net', `${PYTHON} connect.py`);
      server.close();

      expect([open.stdout, blocked.stdout, visitors]).toEqual(['EACCES ok\n', 'EACCES EACCES\n', 0]);
    },
  );

  test.for(['run', 'wrap'])('why in %s tells of connects what the outer one allows, which nobody notices', async (outer) => {
    using world = createNest(ordinaryUser);
    let visitors = 0;
    const servers = await Promise.all(
      ['given', 'kept'].map(async (name) => {
        const server = createServer(() => visitors++);
        await new Promise<void>((resolve) => server.listen(join(world.home, name), resolve));
        chmodSync(join(world.home, name), 0o777);
        return server;
      }),
    );
    await give(world);
    const [given, kept] = [join(world.home, 'given'), join(world.home, 'kept')];
    const ask = async (options: string) => {
      const script = `cd inner; NONO_HOME=../state ../nono why --json --op connect ${options} ${given} ${kept}`;
      const { stdout, stderr } = await runNono(world, [outer, '--allow-cwd', '--allow-socket', given, '--', 'sh', '-c', script]);
      expect(stderr).toBe('');
      return (JSON.parse(stdout) as { readonly answers: readonly Answer[] }).answers;
    };

    const open = await ask(`--allow-cwd --allow-socket ${kept}`);
    const blocked = await ask('--allow-cwd --block-net');
    for (const server of servers) server.close();

    expect([open, blocked].map((answers) => answers.map(({ status, probe, way }) => [status, probe, way]))).toEqual([
      [
        ['allowed', 'confirmed', null],
        ['denied', 'confirmed', null],
      ],
      [
        ['denied', 'confirmed', null],
        ['denied', 'confirmed', null],
      ],
    ]);
    expect(visitors).toBe(0);
  });

  test.for(PAIRS)('$inner in $outer refuses what only a mediator of its own could do', async (pair) => {
    using world = createNest(ordinaryUser);

    for (const options of ['--allow-port 80', '--block-net=loopback']) {
      const { status, stdout, stderr } = await inNest(world, pair, options, 'echo ran');
      expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
      expect(stderr).toContain('Cannot limit the network inside another nono');
    }
  });

  test('a place for its state that is not granted is an error that names the way out', async () => {
    using world = createNest(ordinaryUser);
    await give(world);

    const { status, stdout, stderr } = await runNono(world, [
      'wrap',
      '--allow-cwd',
      '--',
      'sh',
      '-c',
      'cd inner; ../nono run --allow-cwd -- echo ran',
    ]);

    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toMatch(/Cannot use the state directory.*\n(?:.*\n)*Hint: .*NONO_HOME/);
  });
});

/** Makes a terminal, to which something is typed, and runs the words behind its code with its name. */
const AROUND = `
import fcntl, os, struct, subprocess, sys
master, side = os.openpty()
fcntl.ioctl(master, 0x80045430, struct.pack("i", 0))
os.write(master, b"typed\\n")
os.chdir("inner")
raise SystemExit(subprocess.run(sys.argv[1:] + [os.ttyname(side)], env=dict(os.environ, NONO_HOME="../state")).returncode)
`;
const INSIDE = `
import errno, fcntl, os, struct, sys
def tried(path):
    try: return os.ttyname(os.open(path, os.O_RDWR | os.O_NOCTTY)) == path
    except OSError as error: return errno.errorcode[error.errno]
master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
fcntl.ioctl(master, 0x40045431, struct.pack("i", 0))
made = "/dev/pts/%d" % struct.unpack("i", fcntl.ioctl(master, 0x80045430, struct.pack("i", 0)))[0]
print("around", tried(sys.argv[1]), "made", tried(made), "own", tried(os.ttyname(0)) if os.isatty(0) else "none", end=".")
`;

test.for(PAIRS)(
  '$inner in $outer opens the terminals that its command makes and has, and none of those around it',
  async (pair, context) => {
    needCommands(context, PYTHON, 'script');
    using world = createNest(false);
    const inside = `../nono ${pair.inner} --allow-cwd --read-file ../inside.py -- ${PYTHON} ../inside.py "$1"`;
    const files = {
      'around.py': AROUND,
      'inside.py': INSIDE,
      'inner.sh': inside,
      'terminal.sh': 'script -qec "sh ../inner.sh $1" /dev/null',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(world.project, name), text);
    const run = (script: string) => runNono(world, [pair.outer, '--allow-cwd', '--', PYTHON, 'around.py', 'sh', `../${script}`]);

    const [plain, onTerminal] = [await run('inner.sh'), await run('terminal.sh')];

    expect(plain.stdout).toBe('around EACCES made True own none.');
    expect(onTerminal.stdout).toContain('around EACCES made True own True.');
  },
);

/** Takes as many Landlock domains as the kernel lets it, and becomes what follows. */
const LAYERS = `
import ctypes, errno, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(38, 1, 0, 0, 0)
while True:
    ruleset = libc.syscall(444, struct.pack("QQQ", 0, 1, 0), 24, 0)
    if ruleset < 0: raise SystemExit("no ruleset: " + os.strerror(ctypes.get_errno()))
    if libc.syscall(446, ruleset, 0) < 0: break
    os.close(ruleset)
if ctypes.get_errno() != errno.E2BIG: raise SystemExit(os.strerror(ctypes.get_errno()))
os.close(ruleset)
os.execv(sys.argv[1], sys.argv[1:])
`;

describe('nono inside as many sandboxes as the kernel takes', () => {
  test.for(['run', 'wrap'])('%s runs nothing and says why', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    const call = [world.executable, verb, '--allow-cwd', '--', 'touch', 'made'];
    const { status, stdout, stderr } = await runProgram(world, [PYTHON, '-c', LAYERS, ...call]);
    if (stderr.startsWith('no ruleset')) context.skip(`this kernel's Landlock scopes nothing yet: ${stderr.trim()}`);

    expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
    expect(stderr).toMatch(/^Error: Cannot apply the sandbox: .*E2BIG \[E_SANDBOX\]\nHint: .*16 of Landlock/);
    expect(existsSync(join(world.project, 'made'))).toBe(false);
  });
});
