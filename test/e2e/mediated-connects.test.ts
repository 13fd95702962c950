import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { describeSandboxed, VERBS } from '../support/sandboxed.ts';
import { PYTHON } from '../support/tools.ts';
import { USERS } from '../support/world.ts';

describe.for(USERS)('a mediated connect of $user', ({ ordinaryUser }) => {
  const sandboxed = describeSandboxed({ ordinaryUser });
  const { inside, python } = sandboxed;

  test.for(VERBS)('connects to a socket that --allow-socket names, and to no other, under %s', async (verb) => {
    const connect = `
for path in sys.argv[1:]:
    try:
        with socket.socket(socket.AF_UNIX) as s: s.connect(path); print("ok")
    except OSError as error: print(errno.errorcode[error.errno])`;
    const words = [PYTHON, '-c', `import socket, errno, sys\n${connect}`, sandboxed.outside.socket];
    const refused = await inside(verb, [], words);
    const allowed = await inside(verb, ['--allow-socket', sandboxed.outside.socket], words);
    const directory = await inside(verb, ['--allow-socket', sandboxed.outside.directory], words);

    expect([refused.stdout, allowed.stdout, directory.stdout]).toEqual(['EACCES\n', 'ok\n', 'ok\n']);
    expect(sandboxed.outside.visitors).toBe(2);
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

  test.for(VERBS)('begins again on the same socket, with and without --block-net=loopback, under %s', async (verb) => {
    const script = `
def name(call):
    try: call(); return "ok"
    except OSError as error: return errno.errorcode[error.errno]
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    s = socket.socket(family); print(name(lambda: s.connect((host, 1))), name(lambda: s.connect((host, 1))))
    l = socket.socket(family); l.bind((host, 0)); print(name(lambda: l.listen(1)), name(lambda: l.listen(2)))
    c = socket.socket(family); print(name(lambda: c.connect(l.getsockname())), name(lambda: c.connect(l.getsockname())))`;

    const free = await python(verb, script);
    const near = await python(verb, script, ['--block-net=loopback']);

    expect(free.stdout || free.stderr).toBe('ECONNREFUSED ECONNREFUSED\nok ok\nok EISCONN\n'.repeat(2));
    expect(near.stdout || near.stderr).toBe(free.stdout);
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
});
