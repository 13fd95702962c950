import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram, startNono } from '../support/nono.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, USERS, type World } from '../support/world.ts';

/** Two sockets outside: prints what came to each when its input ends. */
const RECEIVER = `
import array, os, socket, sys
sockets = []
for path in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(path); os.chmod(path, 0o777); s.setblocking(False); sockets.append(s)
print("ready"); sys.stdout.flush(); sys.stdin.readline()
for s in sockets:
    try:
        while True:
            data, extra, flags, sender = s.recvmsg(999, 999)
            for level, kind, value in extra:
                numbers = array.array("i"); numbers.frombytes(value[:4]); data += b"+" + os.read(numbers[0], 9)
            print(data.decode(), end=" ")
    except BlockingIOError: print(".")
`;

const PRELUDE = `
import array, ctypes, errno, os, socket, sys, threading, time
granted, other = sys.argv[1:]
def name(call):
    try: return call()
    except OSError as error: return errno.errorcode[error.errno]
`;

import { VERBS } from '../support/sandboxed.ts';

const SENDER = `${PRELUDE}
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
r, w = os.pipe(); os.write(w, b"passed")
print(s.sendto(b"sendto", granted), s.sendmsg([b"send", b"msg"], [], 0, granted),
  s.sendmsg([b"rights"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [r]))], 0, granted))
os.symlink(other, "link"); os.symlink(granted, "good-link")
for where in (other, "link", "/proc/self/root" + other, "\\0abstract", os.path.relpath(other)):
    print(name(lambda: s.sendto(b"x", where)), name(lambda: s.sendmsg([b"x"], [], 0, where)), name(lambda: s.connect(where)))
print(s.sendto(b"by-link", "good-link"))
s.connect(granted); print(s.send(b"connected"), s.sendmsg([b"unnamed"]), os.write(s.fileno(), b"written"), name(lambda: s.sendto(b"x", other)))
print(name(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_RAW)))
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_bytes", ctypes.c_uint), ("pieces", ctypes.c_void_p), ("count", ctypes.c_size_t),
      ("control", ctypes.c_void_p), ("control_bytes", ctypes.c_size_t), ("flags", ctypes.c_long), ("sent", ctypes.c_uint)]
class Piece(ctypes.Structure): _fields_ = [("base", ctypes.c_char_p), ("bytes", ctypes.c_size_t)]
libc = ctypes.CDLL(None, use_errno=True)
def address(path): return ctypes.create_string_buffer((1).to_bytes(2, "little") + path.encode() + b"\\0", len(path) + 3)
def send_many(*paths):
    keep = [(address(path), Piece(b"many", 4)) for path in paths]
    list = (Message * len(paths))(*[Message(ctypes.addressof(a), len(a), ctypes.addressof(p), 1) for a, p in keep])
    return libc.sendmmsg(s2.fileno(), list, len(paths), 0), [m.sent for m in list]
s2 = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
print(send_many(granted, granted), send_many(granted, other, granted), send_many(other))
`;

/** What is mediated only because the calls are, and must be as ever: the network, streams, and waiting. */
const BESIDE = `${PRELUDE}
a, b = socket.socketpair()
def read():
    count = 0
    while count < 3000000: count += len(b.recv(100000))
    print("stream", count)
reader = threading.Thread(target=read); reader.start()
big = bytes(3000000); sent = 0
while sent < len(big): sent += a.sendmsg([big[sent:]])
reader.join()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0)); v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(v.sendto(b"one", u.getsockname()), v.sendmsg([b"t", b"wo"], [], 0, u.getsockname()), u.recv(9), u.recv(9))
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind("own.s")
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); n.setblocking(False)
full = 0
while name(lambda: n.sendto(b"x", "own.s")) == 1: full += 1
print("full", name(lambda: n.sendto(b"x", "own.s")), name(lambda: n.sendmsg([b"x"], [], socket.MSG_DONTWAIT, "own.s")))
waits = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
waiting = [threading.Thread(target=lambda: waits.sendto(b"late", "own.s")) for _ in range(3)]
[t.start() for t in waiting]
def hang():
    pid = os.fork()
    if pid == 0: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(bytes(200000), "own.s"); os._exit(0)
    return pid
hanging = [hang() for _ in range(150)]
for at in range(1000): os.chmod(".", 0o755)
print("not held up")
for pid in hanging: os.kill(pid, 9); os.waitpid(pid, 0)
while d.recv(9) != b"late": pass
print(d.recv(9), d.recv(9)); [t.join() for t in waiting]
t = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); t.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (0).to_bytes(8, "little") + (50000).to_bytes(8, "little"))
while name(lambda: n.sendto(b"x", "own.s")) == 1: pass
print(name(lambda: t.sendto(b"x", "own.s")))
print(name(lambda: n.sendto(bytes(300000), "own.s")), name(lambda: n.sendto(b"x", "none.s")), name(lambda: n.send(b"x")))
`;

describe.for(USERS)('a local datagram of $user', ({ ordinaryUser }) => {
  const inside = (world: World, verb: string, options: readonly string[], script: string) => {
    const places = ['granted', 'other'].map((name) => join(world.home, name));
    return runProgram(world, [world.executable, verb, ...options, '--allow-cwd', '--', PYTHON, '-c', script, ...places]);
  };

  test.for(VERBS)('goes where --allow-socket says, and nowhere else, under %s', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });
    const places = ['granted', 'other'].map((name) => join(world.home, name));
    const receiver = startNono({ ...world, executable: PYTHON }, ['-c', RECEIVER, ...places], { keepsInput: true });
    await waitFor('the receiver', () => receiver.stdout() === 'ready\n');

    const { stdout, stderr } = await inside(world, verb, ['--allow-socket', places[0] ?? ''], SENDER);
    receiver.child.stdin?.end('\n');
    const received = (await receiver.ended).stdout.split('\n').slice(1, -1);

    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: [
        '6 7 6',
        'EACCES EACCES EACCES',
        'EACCES EACCES EACCES',
        'ELOOP ELOOP ELOOP',
        'EPERM EPERM EPERM',
        'EACCES EACCES EACCES',
        '7',
        '9 7 7 EACCES',
        'EACCES',
        '(2, [4, 4]) (1, [4, 0, 0]) (-1, [0])',
      ],
      stderr: '',
    });
    expect(received).toEqual(['sendto sendmsg rights+passed by-link connected unnamed written many many many .', '.']);
  });

  test.for(VERBS)('is refused as a socket without that option, under %s', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });

    const { stdout } = await inside(
      world,
      verb,
      [],
      `${PRELUDE}print(name(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)))`,
    );

    expect(stdout).toBe('EACCES\n');
  });

  test.for(VERBS)('leaves other sends as they are, and waits without holding up, under %s', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });

    const { stdout, stderr } = await inside(world, verb, ['--allow-socket', world.project], BESIDE);

    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: [
        'stream 3000000',
        "3 3 b'one' b'two'",
        'full EAGAIN EAGAIN',
        'not held up',
        "b'late' b'late'",
        'EAGAIN',
        'EMSGSIZE ENOENT ENOTCONN',
      ],
      stderr: '',
    });
  });
});
