import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { descriptorsOf, findMediator, isAlive, mediatorOf } from '../support/mediators.ts';
import { runProgram, startNono } from '../support/nono.ts';
import { compileProbe } from '../support/probe.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

const ROUNDS = 10_000;
/** Not one of a version manager, which the sandbox of a world with another home does not know. */
const PYTHON = '/usr/bin/python3';
const MEDIATOR_LIMIT_KB = 3000;
const VERBS = ['run', 'wrap'] as const;
const KINDS = [
  { user: 'the caller', ordinaryUser: false },
  ...(canBecomeOrdinaryUser() ? [{ user: 'an ordinary user', ordinaryUser: true }] : []),
];

const races = compileProbe('race-probe');
if (races === undefined) console.warn('No race is run against the mediator: that needs a C compiler');
afterAll(() => races?.[Symbol.dispose]());

/** A place outside the grants with a socket that listens, which counts who came. */
class Outside implements Disposable {
  readonly directory: string;
  readonly file: string;
  readonly socket: string;
  visitors = 0;
  #server: Server | undefined;

  constructor(world: World) {
    this.directory = join(world.home, 'out');
    this.file = join(this.directory, 'f');
    this.socket = join(this.directory, 's');
  }

  async make(world: World): Promise<void> {
    await runProgram(world, ['sh', '-c', `mkdir ${this.directory}; echo x > ${this.file}; chmod 644 ${this.file}`]);
    this.#server = createServer((connection) => {
      this.visitors++;
      connection.end();
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.socket, resolve));
    chmodSync(this.socket, 0o777);
  }

  [Symbol.dispose](): void {
    this.#server?.close();
  }
}

describe.for(KINDS)('a mediated call of $user', ({ ordinaryUser }) => {
  let world: World;
  let outside: Outside;
  beforeAll(async () => {
    world = createWorld({ ordinaryUser });
    outside = new Outside(world);
    await outside.make(world);
  });
  beforeEach(() => {
    outside.visitors = 0;
  });
  afterAll(() => {
    outside[Symbol.dispose]();
    world[Symbol.dispose]();
  });

  const inside = (verb: string, options: readonly string[], words: readonly string[]) =>
    runProgram(world, [world.executable, verb, '--allow-cwd', ...options, '--', ...words]);
  const python = (verb: string, script: string, options: readonly string[] = []) =>
    inside(verb, options, [PYTHON, '-c', `import socket, os, errno, sys\n${script}`]);

  describe.runIf(races !== undefined).for(VERBS)('that is raced against under %s', (verb) => {
    test.for(['link', 'times', 'memory', 'directory', 'number'])(
      'changes nothing outside while its %s changes',
      { timeout: 60_000 },
      async (race) => {
        const probe = races?.copyTo(world) ?? '';
        for (const name of ['dir', 'away']) rmSync(join(world.project, name), { force: true, recursive: true });
        const before = lstatSync(outside.file);

        const { stdout, stderr } = await inside(verb, ['--read', outside.directory], [probe, race, String(ROUNDS), outside.file]);

        expect(stdout || stderr).toMatch(new RegExp(`^${ROUNDS} tried, [1-9]\\d* done inside`));
        const after = lstatSync(outside.file);
        expect([after.mode, after.mtimeMs]).toEqual([before.mode, before.mtimeMs]);
      },
    );

    test.for(['address', 'socket-link', 'sockets'])(
      'reaches nobody outside while its %s changes',
      { timeout: 60_000 },
      async (race) => {
        const probe = races?.copyTo(world) ?? '';
        rmSync(join(world.project, 'socket-swap'), { force: true });

        const { stdout, stderr } = await inside(verb, [], [probe, race, String(ROUNDS), outside.socket]);

        expect(stdout || stderr).toMatch(/ 0 reached outside\n$/);
        expect(outside.visitors).toBe(0);
      },
    );

    test('is not seen by a program whose timer fires faster than it is carried out', async () => {
      const probe = races?.copyTo(world) ?? '';

      const { stdout, stderr } = await inside(verb, [], [probe, 'storm', '4000', '/']);

      expect(stdout || stderr).toBe('4000 tried, 4000 done inside, 0 refused, 0 reached outside\n');
    });
  });

  test.for(VERBS)('changes what is granted, in every way, under %s', async (verb) => {
    const { stdout, stderr } = await python(
      verb,
      `
open("f", "w").close(); os.mkdir("d"); os.symlink("f", "l")
os.chmod("f", 0o640); print(oct(os.stat("f").st_mode))
os.chmod("l", 0o600); print(oct(os.stat("f").st_mode))
os.chmod("d", 0o750); print(oct(os.stat("d").st_mode))
d = os.open("d", os.O_RDONLY); os.fchmod(d, 0o700); print(oct(os.stat("d").st_mode))
os.utime("f", (5, 6)); print(os.stat("f").st_mtime, os.stat("f").st_atime)
os.utime("l", (7, 8), follow_symlinks=False); print(os.lstat("l").st_mtime, os.stat("f").st_mtime)
os.utime(d, (9, 10)); print(os.stat("d").st_mtime)
os.chown("f", -1, os.getgid()); os.lchown("l", -1, os.getgid())
f = os.open("f", os.O_RDONLY); os.fchmod(f, 0o644); os.chmod("/proc/self/fd/%d" % f, 0o604); print(oct(os.stat("f").st_mode))
os.chmod(".", 0o755)
os.setxattr("f", "user.a", b"1"); print(os.getxattr("f", "user.a")); os.removexattr("f", "user.a")
r = os.open(".", os.O_RDONLY); os.chmod("f", 0o611, dir_fd=r); print(oct(os.stat("f").st_mode))
os.unlink("l"); os.rmdir("d"); os.unlink("f")`,
    );

    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      '0o100640',
      '0o100600',
      '0o40750',
      '0o40700',
      '6.0 5.0',
      '8.0 6.0',
      '10.0',
      '0o100604',
      "b'1'",
      '0o100611',
      '',
    ]);
  });

  test.for(VERBS)('changes no FIFO outside whose path is too long to be told, and any pipe, under %s', async (verb) => {
    const deep = join(world.home, 'deep');
    const go = (make: string) => `
os.chdir("${deep}")
for level in range(22):
  ${make}
  os.chdir("d" * 200)`;
    await runProgram(world, ['mkdir', deep]);
    await runProgram(world, [PYTHON, '-c', `import os${go('os.mkdir("d" * 200)')}\nos.mkfifo("fifo", 0o600)`]);

    const { stdout, stderr } = await python(
      verb,
      `${go('pass')}
try: os.fchmod(os.open("fifo", os.O_RDONLY | os.O_NONBLOCK), 0o666)
except OSError as error: print(errno.errorcode[error.errno], oct(os.stat("fifo").st_mode & 0o777))
print(os.fchmod(os.pipe()[0], 0o600))`,
      ['--read', deep],
    );
    await runProgram(world, ['rm', '-rf', deep]);

    expect({ stdout, stderr }).toEqual({ stdout: 'EPERM 0o600\nNone\n', stderr: '' });
  });

  test.for(VERBS)('gives the errors that the kernel gives, under %s', async (verb) => {
    const { stdout } = await python(
      verb,
      `
def name(call):
    try: call()
    except OSError as error: return errno.errorcode[error.errno]
    return "ok"
def connect(path, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_UNIX, kind) as s: s.connect(path)
open("f", "w").close()
print(name(lambda: os.chmod("none", 0o600)), name(lambda: os.chmod("f/x", 0o600)), name(lambda: os.chmod("x" * 300, 0o600)),
  name(lambda: os.chmod("x/" * 3000, 0o600)), name(lambda: os.fchmod(99, 0o600)), name(lambda: os.chmod("", 0o600)),
  name(lambda: os.removexattr("f", "user.none")), name(lambda: connect("none")), name(lambda: connect("f")),
  name(lambda: connect("f", socket.SOCK_SEQPACKET)))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.chmod(ctypes.c_void_p(8), 0o600), errno.errorcode[ctypes.get_errno()])
os.unlink("f")`,
    );

    expect(stdout).toBe(
      'ENOENT ENOTDIR ENAMETOOLONG ENAMETOOLONG EBADF ENOENT ENODATA ENOENT ECONNREFUSED ECONNREFUSED\n-1 EFAULT\n',
    );
  });

  const local = `
def serve(path):
    s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen(1); return s
s = serve("near.s")
c = socket.socket(socket.AF_UNIX); c.connect(os.path.abspath("near.s")); c.send(b"hello"); print(s.accept()[0].recv(9))
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.send(b"one"); a.send(b"two"); print(b.recv(9), b.recv(9))
os.unlink("near.s")`;

  test.for(VERBS.flatMap((verb) => [[], ['--block-net'], ['--allow-port', '9']].map((options) => ({ verb, options }))))(
    'connects to a socket inside the grants, under $verb $options',
    async ({ verb, options }) => {
      const { stdout, stderr } = await python(verb, local, options);

      expect(stdout || stderr).toBe("b'hello'\nb'one' b'two'\n");
    },
  );

  test.for(VERBS)('connects to a socket that --allow-socket names, and to no other, under %s', async (verb) => {
    const connect = `
for path in sys.argv[1:]:
    try:
        with socket.socket(socket.AF_UNIX) as s: s.connect(path); print("ok")
    except OSError as error: print(errno.errorcode[error.errno])`;
    const words = [PYTHON, '-c', `import socket, errno, sys\n${connect}`, outside.socket];
    const refused = await inside(verb, [], words);
    const allowed = await inside(verb, ['--allow-socket', outside.socket], words);
    const directory = await inside(verb, ['--allow-socket', outside.directory], words);

    expect([refused.stdout, allowed.stdout, directory.stdout]).toEqual(['EACCES\n', 'ok\n', 'ok\n']);
    expect(outside.visitors).toBe(2);
  });

  test.for(VERBS)('that has to wait holds no other up, and ends with its caller, under %s', async (verb) => {
    // A queue that is full: connect(2) waits until somebody is taken out of it.
    const { stdout, stderr } = await python(
      verb,
      `
import threading, signal
s = socket.socket(socket.AF_UNIX); s.bind("full.s"); s.listen(0)
first = socket.socket(socket.AF_UNIX); first.connect("full.s")
def wait(): c = socket.socket(socket.AF_UNIX); c.connect("full.s"); print("through")
waiting = [threading.Thread(target=wait) for _ in range(2)]
[t.start() for t in waiting]
def hang():
    pid = os.fork()
    if pid == 0: wait(); os._exit(0)
    return pid
hanging = [hang() for _ in range(60)]
for at in range(1000): os.chmod(".", 0o755)
print("not held up")
for pid in hanging: os.kill(pid, signal.SIGKILL)
print(set(os.waitpid(pid, 0)[1] for pid in hanging))
n = socket.socket(socket.AF_UNIX); n.setblocking(False)
try: n.connect("full.s")
except OSError as error: print(errno.errorcode[error.errno])
t = socket.socket(socket.AF_UNIX); t.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, "little") + (50000).to_bytes(8, "little"))
try: t.connect("full.s")
except OSError as error: print(errno.errorcode[error.errno])
for _ in range(3): s.accept()
[t.join() for t in waiting]
os.unlink("full.s")`,
    );

    expect(stdout || stderr).toBe('not held up\n{9}\nEAGAIN\nEAGAIN\nthrough\nthrough\n');
  });

  test.for(VERBS)('that hears nothing from the network holds no other up, under %s', async (verb) => {
    // A listener whose queue is full drops what asks for a connection: nobody ever answers.
    const { stdout, stderr } = await python(
      verb,
      `
import threading
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
def connect():
    c = socket.socket(); c.settimeout(None); c.connect(s.getsockname()); return c
full = [socket.socket() for _ in range(3)]
[c.setblocking(False) or c.connect_ex(s.getsockname()) for c in full]
def hang():
    pid = os.fork()
    if pid == 0: connect(); os._exit(0)
    return pid
hanging = [hang(), hang()]
state = lambda pid: open("/proc/%d/syscall" % pid).read().split()[0]
while any(state(pid) != "${process.arch === 'arm64' ? 203 : 42}" for pid in hanging): pass
for at in range(1000): os.close(os.open("o", os.O_RDWR | (os.O_CREAT if at == 0 else 0)))
for at in range(1000): os.chmod("o", 0o600)
print("not held up", [os.waitpid(pid, os.WNOHANG)[0] for pid in hanging])
[os.kill(pid, 9) for pid in hanging]; print([os.waitpid(pid, 0)[1] for pid in hanging]); os.unlink("o")`,
    );

    expect(stdout || stderr).toBe('not held up [0, 0]\n[9, 9]\n');
  });

  test.for(VERBS)('connects by TCP as it would without, under %s', async (verb) => {
    const server = createServer((connection) => {
      // What the other end does not read is no matter.
      connection.on('error', () => undefined);
      connection.end('hi');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = `
import select
at = ("127.0.0.1", ${port})
s = socket.socket(); s.connect(at); print(s.recv(9))
s = socket.socket(); s.setblocking(False); print(errno.errorcode.get(s.connect_ex(at))); select.select([], [s], []); print(s.connect_ex(at), s.connect_ex(at) == errno.EISCONN)
s = socket.socket(); print(errno.errorcode[s.connect_ex(("127.0.0.1", 1))])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(at); print(s.getpeername() == at)`;

    const { stdout, stderr } = await python(verb, script);
    server.close();

    expect(stdout || stderr).toBe("b'hi'\nEINPROGRESS\n0 True\nECONNREFUSED\nTrue\n");
  });

  test.for(VERBS)('leaves only the loopback device with --block-net=loopback, under %s', async (verb) => {
    const script = `
def name(call):
    try: return call()
    except OSError as error: return errno.errorcode[error.errno]
def serve(family, at):
    s = socket.socket(family); s.bind(at); s.listen(5); return s
lo = [s.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\\0").decode()
    for s in (serve(socket.AF_INET, ("0.0.0.0", 0)), serve(socket.AF_INET6, ("::", 0)), serve(socket.AF_INET, ("127.0.0.1", 0)))]
print(*lo)
s = socket.socket(); s.listen(5)
c = socket.create_connection(("127.0.0.1", s.getsockname()[1])); c.send(b"x"); a = s.accept()[0]; print(a.recv(9))
def connect(family, address):
    with socket.socket(family) as s: s.setblocking(False); return errno.errorcode.get(s.connect_ex(address), "ok")
print(connect(socket.AF_INET6, ("::1", s.getsockname()[1])), connect(socket.AF_INET6, ("::ffff:127.0.0.2", s.getsockname()[1])),
  connect(socket.AF_INET, ("0.0.0.0", s.getsockname()[1])))
print(connect(socket.AF_INET, ("10.0.0.1", 9)), connect(socket.AF_INET, ("128.0.0.1", 9)), connect(socket.AF_INET6, ("fe80::1", 9)),
  connect(socket.AF_INET6, ("::ffff:10.0.0.1", 9)))
print(name(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)), name(lambda: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"\\0")))`;

    const { stdout, stderr } = await python(verb, script, ['--block-net=loopback']);

    expect(stdout || stderr).toBe(
      "lo lo lo\nb'x'\nEINPROGRESS EINPROGRESS EINPROGRESS\nEACCES EACCES EACCES EACCES\nEACCES EPERM\n",
    );
  });

  test.for(VERBS)('opens a terminal for a program that makes one, under %s', async (verb, context) => {
    needCommands(context, 'script');
    const { stdout } = await inside(verb, [], ['script', '-qec', 'tty; stty size >/dev/null && echo sized', '/dev/null']);

    expect(stdout).toMatch(/^\/dev\/pts\/\d+\r\nsized\r\n$/);
  });

  test.for(VERBS)('lets git, tar, cp and install do their work, under %s', async (verb, context) => {
    needCommands(context, 'git', 'tar');
    const script = `set -e
git init -q repo; cd repo; git config user.email a@b.c; git config user.name n
echo one > file; chmod +x file; git add file; git commit -qm first; cd ..
git clone -q repo clone; git -C clone fsck 2>&1
tar cf all.tar repo; mkdir untarred; tar xpf all.tar -C untarred; cp -a repo copied; install -m 711 repo/file installed
test "$(stat -c %a untarred/repo/file copied/file installed | tr '\\n' ' ')" = "$(stat -c %a repo/file repo/file | tr '\\n' ' ')711 "
test "$(stat -c %Y untarred/repo/file)" = "$(stat -c %Y repo/file)"
rm -rf repo clone all.tar untarred copied installed; echo done`;

    const { stdout, stderr } = await inside(verb, [], ['sh', '-c', script]);

    expect(stdout || stderr).toMatch(/done\n$/);
  });

  test.runIf(!ordinaryUser && canBecomeOrdinaryUser()).for(VERBS)(
    'is refused to a process that has become somebody else, under %s',
    async (verb) => {
      const { stdout } = await python(
        verb,
        `
os.chmod(".", 0o777)
pid = os.fork()
if pid == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    open("theirs", "w").close()
    for call in (lambda: os.chmod("theirs", 0o600), lambda: os.utime("theirs"), lambda: socket.socket(socket.AF_UNIX).connect("none")):
        try: call(); print("ok")
        except OSError as error: print(errno.errorcode[error.errno])
    sys.stdout.flush(); os._exit(0)
os.waitpid(pid, 0); os.unlink("theirs"); os.chmod(".", 0o755)`,
      );

      expect(stdout).toBe('EPERM\nEPERM\nEPERM\n');
    },
  );
});

describe.for(KINDS)('the mediator of a wrapped command of $user', ({ ordinaryUser }) => {
  test('is small, holds none of its streams, and ends with it', async () => {
    using world = createWorld({ ordinaryUser });
    const { child, ended } = startNono(world, ['wrap', '--allow-cwd', '--', 'sh', '-c', 'chmod 755 .; echo ready; exec cat'], {
      keepsInput: true,
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));

    const pid = mediatorOf(world);
    const { stdout: memory } = await runProgram(world, ['cat', `/proc/${pid}/smaps_rollup`]);
    expect(Number(/^Pss:\s+(\d+) kB/m.exec(memory)?.[1])).toBeLessThan(MEDIATOR_LIMIT_KB);
    expect(descriptorsOf(pid).filter((target) => target.startsWith('pipe:'))).toEqual([]);

    child.stdin?.end();
    await ended;
    await waitFor('the end of the mediator', () => !isAlive(pid));
  });

  test('is none where too few descriptors are allowed: its calls fail, and nothing stays behind', async () => {
    using world = createWorld({ ordinaryUser });
    const limited = `ulimit -n 16; exec ${world.executable} wrap --allow-cwd -- sh -c 'chmod 755 . 2>/dev/null || echo refused; echo x > f && cat f'`;
    const { stdout } = await runProgram(world, ['sh', '-c', limited]);
    expect(stdout).toBe('refused\nx\n');
    await waitFor('no mediator', () => findMediator(world) === undefined);
  });
});

const AFTER_KILL = `
import errno, os, socket, sys, threading, time
def name(call):
    try: call(); return "ok"
    except OSError as error: return errno.errorcode[error.errno]
outside, near = sys.argv[1:]
calls = [lambda: os.chmod(outside, 0o666), lambda: os.chmod("own", 0o600), lambda: os.utime("own"), lambda: os.chown("own", -1, -1),
  lambda: os.setxattr("own", "user.a", b"1"), lambda: os.fchmod(f, 0o600), lambda: socket.socket(socket.AF_UNIX).connect(near),
  lambda: socket.socket(socket.AF_UNIX).connect("own.s"), lambda: socket.socket().connect(("127.0.0.1", 9)),
  lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM), lambda: os.openpty()]
f = os.open("own", os.O_RDWR | os.O_CREAT)
os.chmod("own", 0o600)
# One that waits when the mediator dies: its queue is full.
s = socket.socket(socket.AF_UNIX); s.bind("own.s"); s.listen(0); first = socket.socket(socket.AF_UNIX); first.connect("own.s")
waiting = threading.Thread(target=lambda: print("waited", name(lambda: socket.socket(socket.AF_UNIX).connect("own.s"))))
waiting.start()
print("ready"); sys.stdout.flush(); sys.stdin.readline(); waiting.join()
print(*[name(call) for call in calls])
print(open("own").read() == "", name(lambda: open(outside)), name(lambda: os.open("own", os.O_WRONLY)), name(lambda: os.kill(os.getppid(), 0)))
`;

describe.for(KINDS)('the killed mediator of a wrapped command of $user', ({ ordinaryUser }) => {
  test('opens nothing: each call fails, that which waits too, and the rules stay', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });
    using outside = new Outside(world);
    await outside.make(world);
    const before = lstatSync(outside.file);
    const words = ['wrap', '--allow-cwd', '--', PYTHON, '-c', AFTER_KILL, outside.file, outside.socket];
    const running = startNono(world, words, { keepsInput: true });
    await waitFor('the command', () => running.stdout() === 'ready\n');

    process.kill(mediatorOf(world), 'SIGKILL');
    running.child.stdin?.end('go on\n');
    const { stdout, stderr } = await running.ended;

    expect(stdout || stderr).toBe(`ready\nwaited ENOSYS\n${Array(11).fill('ENOSYS').join(' ')}\nTrue EACCES ok EPERM\n`);
    expect([outside.visitors, lstatSync(outside.file).mode]).toEqual([0, before.mode]);
  });
});

describe.runIf(canBecomeOrdinaryUser()).for(KINDS)('where Yama restricts ptrace, $user', ({ ordinaryUser }) => {
  test("wraps by staying the parent, with the same sandbox and the command's end", async (context) => {
    needCommands(context, 'unshare', 'ps');
    using world = createWorld({ ordinaryUser });
    // Of that directory nono reads three other files.
    const pretend = `set -e; cd /proc/sys/kernel; host=$(cat hostname); boot=$(cat random/boot_id); release=$(cat osrelease); mount -t tmpfs none .
cd /proc/sys/kernel; mkdir yama random; echo 1 > yama/ptrace_scope; echo $host > hostname; echo $boot > random/boot_id; echo $release > osrelease; cd ${world.project}`;
    const command =
      'ps -o args= -p $PPID | grep -c wrap; touch f; chmod 600 f; stat -c %a f; chmod 600 /etc/hostname; kill -9 $$';
    const words = [...world.asUser, world.executable, 'wrap', '--allow-cwd', '--', 'sh', '-c', command];
    const script = `${pretend}; exec "$@"`;

    const { status, stdout, stderr } = await runProgram({ ...world, asUser: [] }, [
      'unshare',
      '-m',
      'sh',
      '-c',
      script,
      'sh',
      ...words,
    ]);

    expect({ status, stdout }).toEqual({ status: 137, stdout: '1\n600\n' });
    expect(stderr).toContain('Operation not permitted');
  });
});
