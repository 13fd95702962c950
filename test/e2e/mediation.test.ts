import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runProgram, startNono } from '../support/nono.ts';
import { compileProbe } from '../support/probe.ts';
import { describeSandboxed, VERBS } from '../support/sandboxed.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, USERS } from '../support/world.ts';

const ROUNDS = 10_000;

const races = compileProbe('race-probe');
if (races === undefined) console.warn('No race is run against the mediator: that needs a C compiler');
afterAll(() => races?.[Symbol.dispose]());

describe.for(USERS)('a mediated call of $user', ({ ordinaryUser }) => {
  const sandboxed = describeSandboxed({ ordinaryUser });
  const { inside, python } = sandboxed;

  describe.runIf(races !== undefined).for(VERBS)('that is raced against under %s', (verb) => {
    test.for(['link', 'times', 'memory', 'directory', 'number'])(
      'changes nothing outside while its %s changes',
      { timeout: 60_000 },
      async (race) => {
        const probe = races?.copyTo(sandboxed.world) ?? '';
        for (const name of ['dir', 'away']) rmSync(join(sandboxed.world.project, name), { force: true, recursive: true });
        const before = lstatSync(sandboxed.outside.file);

        const { stdout, stderr } = await inside(
          verb,
          ['--read', sandboxed.outside.directory],
          [probe, race, String(ROUNDS), sandboxed.outside.file],
        );

        expect(stdout || stderr).toMatch(new RegExp(`^${ROUNDS} tried, [1-9]\\d* done inside`));
        const after = lstatSync(sandboxed.outside.file);
        expect([after.mode, after.mtimeMs]).toEqual([before.mode, before.mtimeMs]);
      },
    );

    test.for(['address', 'socket-link', 'sockets'])(
      'reaches nobody outside while its %s changes',
      { timeout: 60_000 },
      async (race) => {
        const probe = races?.copyTo(sandboxed.world) ?? '';
        rmSync(join(sandboxed.world.project, 'socket-swap'), { force: true });

        const { stdout, stderr } = await inside(verb, [], [probe, race, String(ROUNDS), sandboxed.outside.socket]);

        expect(stdout || stderr).toMatch(/ 0 reached outside\n$/);
        expect(sandboxed.outside.visitors).toBe(0);
      },
    );

    test('is not seen by a program whose timer fires faster than it is carried out', async () => {
      const probe = races?.copyTo(sandboxed.world) ?? '';

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

  test.for(VERBS)(
    'says of times that are both to stay what the kernel says, and of a path that is none, under %s',
    async (verb) => {
      const { stdout, stderr } = await python(
        verb,
        `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(directory, path, times, flags=0):
  result = libc.syscall(88 if os.uname().machine == "aarch64" else 280, directory, path, (ctypes.c_long * 4)(*times), flags)
  print(errno.errorcode[ctypes.get_errno()] if result < 0 else result, end=" ")
STAY, TIMES, HERE = (0, 0x3ffffffe) * 2, (1, 2, 3, 4), -100
f = os.open("f", os.O_RDONLY | os.O_CREAT)
call(HERE, b"/usr", STAY); call(os.open("/usr", os.O_RDONLY), None, STAY); call(HERE, b"nothing", STAY); call(HERE, b"/usr", (0, 0x3ffffffe, 3, 4))
call(f, None, TIMES); print(os.stat("f").st_mtime_ns, end=" "); call(f, None, TIMES, 0x100); call(HERE, None, TIMES)
os.unlink("f")`,
      );

      expect({ stdout, stderr }).toEqual({ stdout: '0 0 0 EPERM 0 3000000004 EINVAL EFAULT ', stderr: '' });
    },
  );

  test.for(VERBS)('changes no FIFO outside whose path is too long to be told, and any pipe, under %s', async (verb) => {
    const deep = join(sandboxed.world.home, 'deep');
    const go = (make: string) => `
os.chdir("${deep}")
for level in range(22):
  ${make}
  os.chdir("d" * 200)`;
    await runProgram(sandboxed.world, ['mkdir', deep]);
    await runProgram(sandboxed.world, [PYTHON, '-c', `import os${go('os.mkdir("d" * 200)')}\nos.mkfifo("fifo", 0o600)`]);

    const { stdout, stderr } = await python(
      verb,
      `${go('pass')}
try: os.fchmod(os.open("fifo", os.O_RDONLY | os.O_NONBLOCK), 0o666)
except OSError as error: print(errno.errorcode[error.errno], oct(os.stat("fifo").st_mode & 0o777))
print(os.fchmod(os.pipe()[0], 0o600))`,
      ['--read', deep],
    );
    await runProgram(sandboxed.world, ['rm', '-rf', deep]);

    expect({ stdout, stderr }).toEqual({ stdout: 'EPERM 0o600\nNone\n', stderr: '' });
  });

  test.for(VERBS)('leaves alone what was moved away, and what is in its place, under %s', async (verb) => {
    const { world } = sandboxed;
    const [granted, away] = ['granted', 'away'].map((name) => join(world.home, name)) as [string, string];
    const fill = `import os; os.mkdir("${granted}"); open("${granted}/f", "w").close(); os.chmod("${granted}/f", 0o604)`;
    expect(await runProgram(world, [PYTHON, '-c', fill])).toMatchObject({ status: 0, stderr: '' });
    // For a moment after the last call nobody looks whether it is still there.
    const script = `import errno, os, sys, time
path = "${granted}/f"; os.chmod(path, 0o640); print("ready", flush=True); sys.stdin.readline()
end = time.monotonic() + 10; said = "changed"
while said == "changed" and time.monotonic() < end:
    try: os.chmod(path, 0o600)
    except OSError as error: said = errno.errorcode[error.errno]
print(said, oct(os.stat(path).st_mode & 0o777))`;
    const running = startNono(world, [verb, '--allow', granted, '--', PYTHON, '-c', script], { keepsInput: true });
    await waitFor('the command to be ready', () => running.stdout() === 'ready\n');
    expect(await runProgram(world, [PYTHON, '-c', `import os; os.rename("${granted}", "${away}"); ${fill}`])).toMatchObject({
      stderr: '',
    });
    running.child.stdin?.end('\n');
    const { stdout } = await running.ended;
    await runProgram(world, ['rm', '-rf', granted, away]);

    expect(stdout).toBe('ready\nEPERM 0o604\n');
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
os.unlink("f")
here = os.getcwd(); gone = here + "/gone"; other = gone + " (deleted)"
os.mkdir(gone); os.chdir(gone); os.rmdir(gone); os.mkdir(other); open(other + "/f", "w").close()
print(name(lambda: os.chmod("f", 0o600)), name(lambda: os.utime("f")), name(lambda: connect("f")))
os.chdir(other); print(name(lambda: os.chmod("f", 0o640)), oct(os.stat("f").st_mode)); os.chdir(here); os.unlink(other + "/f"); os.rmdir(other)`,
    );

    expect(stdout).toBe(
      'ENOENT ENOTDIR ENAMETOOLONG ENAMETOOLONG EBADF ENOENT ENODATA ENOENT ECONNREFUSED ECONNREFUSED\n-1 EFAULT\nENOENT ENOENT ENOENT\nok 0o100640\n',
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
