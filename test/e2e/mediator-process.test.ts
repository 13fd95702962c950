import { lstatSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { descriptorsOf, findMediator, isAlive, mediatorOf } from '../support/mediators.ts';
import { runProgram, startNono } from '../support/nono.ts';
import { Outside } from '../support/outside.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld, USERS } from '../support/world.ts';

const MEDIATOR_LIMIT_KB = 3000;

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

/** A child that leaves one of its own behind; then nobody is left to wait for, and what was left behind goes. */
const FIRST = `
import os, time
reads, writes = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(writes, str(os.fork() or "").encode())
    os._exit(0)
os.waitpid(pid, 0)
left = os.read(reads, 20).decode()
try: print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError: print("none")
limit = time.monotonic() + 20
while os.path.exists("/proc/" + left) and time.monotonic() < limit: time.sleep(0.01)
os.chmod(".", 0o755)
print(os.path.exists("/proc/" + left)); raise SystemExit(7)
`;

describe.for(USERS)('the mediator of a wrapped command of $user', ({ ordinaryUser }) => {
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

describe.for(USERS)('the killed mediator of a wrapped command of $user', ({ ordinaryUser }) => {
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

describe.runIf(canBecomeOrdinaryUser()).for(USERS)('as the first process of a container, $user', ({ ordinaryUser }) => {
  test('wraps by staying the parent: the command has no child that it did not make', async (context) => {
    needCommands(context, 'unshare');
    using world = createWorld({ ordinaryUser });
    const words = [...world.asUser, world.executable, 'wrap', '--allow-cwd', '--', PYTHON, '-c', FIRST];

    const { status, stdout } = await runProgram({ ...world, asUser: [] }, [
      'unshare',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      ...words,
    ]);

    expect({ status, stdout }).toEqual({ status: 7, stdout: 'none\nFalse\n' });
  });
});

/** Of that directory nono reads two other files. */
const YAMA = `set -e; cd /proc/sys/kernel; boot=$(cat random/boot_id); release=$(cat osrelease); mount -t tmpfs none .
cd /proc/sys/kernel; mkdir yama random; echo 1 > yama/ptrace_scope; echo $boot > random/boot_id; echo $release > osrelease`;

/** A thread asks the parent of its process to trace it, is sent a signal that means nothing, and ends. */
const TRACED = `import ctypes, os, signal, threading
libc = ctypes.CDLL(None)
def work():
    libc.ptrace(0, 0, 0, 0); libc.syscall(TGKILL, os.getpid(), threading.get_native_id(), signal.SIGWINCH); print("went on", flush=True)
thread = threading.Thread(target=work); thread.start(); thread.join(); os._exit(7)`.replace(
  'TGKILL',
  process.arch === 'arm64' ? '131' : '234',
);

describe.runIf(canBecomeOrdinaryUser()).for(USERS)('where Yama restricts ptrace, $user', ({ ordinaryUser }) => {
  test("wraps by staying the parent, with the same sandbox and the command's end", async (context) => {
    needCommands(context, 'unshare', 'ps');
    using world = createWorld({ ordinaryUser });
    const command =
      'ps -o args= -p $PPID | grep -c wrap; touch f; chmod 600 f; stat -c %a f; chmod 600 /etc/hostname; kill -9 $$';
    const words = [...world.asUser, world.executable, 'wrap', '--allow-cwd', '--', 'sh', '-c', command];
    const script = `${YAMA}; cd ${world.project}; exec "$@"`;

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

  test.for(['wrap', 'run'])('%s ends with a command of which a thread was traced by its parent', async (verb, context) => {
    needCommands(context, 'unshare');
    using world = createWorld({ ordinaryUser });
    const words = [...world.asUser, world.executable, verb, '--allow-cwd', '--', PYTHON, '-c', TRACED];
    const script = `${YAMA}; cd ${world.project}; exec "$@"`;

    const { status, stdout } = await runProgram({ ...world, asUser: [] }, ['unshare', '-m', 'sh', '-c', script, 'sh', ...words]);

    expect({ status, stdout }).toEqual({ status: 7, stdout: 'went on\n' });
  });
});
