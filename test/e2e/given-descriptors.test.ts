import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram, startNono } from '../support/nono.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, USERS } from '../support/world.ts';

/** Somebody outside who gives away what he has open: a directory, a file to read, the same by its path only, a pid, a UDP socket. */
const GIVER = `
import array, os, signal, socket, sys
where, directory = sys.argv[1:]
s = socket.socket(socket.AF_UNIX); s.bind(where); os.chmod(where, 0o777); s.listen(5); print("ready"); sys.stdout.flush()
given = [os.open(directory, os.O_RDONLY), os.open(directory + "/file", os.O_RDONLY), os.open(directory + "/file", os.O_PATH),
  os.pidfd_open(os.getpid()), socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()]
c, _ = s.accept()
c.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", given))]); c.recv(1)
`;

const TAKER = `
import array, ctypes, errno, os, signal, socket, sys
def name(call):
    try: call(); return "ok"
    except OSError as error: return errno.errorcode[error.errno]
c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1])
data, extra, _, _ = c.recvmsg(9, 999)
taken = array.array("i"); taken.frombytes(extra[0][2])
directory, file, path, pidfd, udp = taken
proc = "/proc/self/fd/%d"
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    if libc.syscall(*words) < 0: raise OSError(ctypes.get_errno(), "")
print("read", len(os.read(file, 9)) > 0, name(lambda: os.open("file", os.O_RDONLY, dir_fd=directory)), name(lambda: os.listdir(directory)), name(lambda: os.open(proc % path, os.O_RDONLY)))
print("write", name(lambda: os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=directory)), name(lambda: os.open(proc % file, os.O_WRONLY)), name(lambda: os.truncate(proc % file, 0)))
print("change", name(lambda: os.fchmod(file, 0o600)), name(lambda: os.chmod(proc % path, 0o600)), name(lambda: os.chmod("file", 0o600, dir_fd=directory)),
  name(lambda: os.fchmod(directory, 0o777)), name(lambda: os.utime(file)), name(lambda: os.setxattr(file, "user.a", b"1")), name(lambda: os.chown(path, -1, -1)))
os.fchdir(directory)
print("inside", name(lambda: os.open("file", os.O_RDONLY)), name(lambda: os.chmod("file", 0o600)), name(lambda: os.mkdir("new")), name(lambda: os.unlink("file")), name(lambda: os.rename("file", "g")))
print("link", name(lambda: os.link(proc % file, sys.argv[2] + "/linked", follow_symlinks=True)), name(lambda: os.link("file", sys.argv[2] + "/linked")))
print("process", name(lambda: signal.pidfd_send_signal(pidfd, 0)), name(lambda: call(438, pidfd, 0, 0)), name(lambda: call(308 if os.uname().machine == "x86_64" else 268, pidfd, 0x10000000)))
u = socket.socket(fileno=udp)
print("network", name(lambda: u.sendto(b"x", ("127.0.0.1", 9))), name(lambda: u.connect(("127.0.0.1", 9))))
`;

describe.for(USERS)('a descriptor that somebody outside gives to a command of $user', ({ ordinaryUser }) => {
  test.for(['run', 'wrap'])('is good for what it is open for, and leads nowhere else, under %s', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });
    const [socket, directory] = [join(world.directory, 'socket'), join(world.directory, 'outside')];
    mkdirSync(directory, { mode: 0o777 });
    writeFileSync(join(directory, 'file'), 'outside', { mode: 0o666 });
    if (ordinaryUser) await runProgram({ ...world, asUser: [] }, ['chown', '-R', '65534:65534', directory]);
    const giver = startNono({ ...world, executable: PYTHON }, ['-c', GIVER, socket, directory], { keepsInput: true });
    await waitFor('the giver', () => giver.stdout() === 'ready\n');

    const words = [world.executable, verb, '--block-net', '--allow-socket', socket, '--allow-cwd', '--', PYTHON, '-c', TAKER];
    const { stdout, stderr } = await runProgram(world, [...(words as [string]), socket, world.project]);
    giver.child.kill('SIGKILL');
    await giver.ended;

    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: [
        // A directory that is open can be listed: that was decided when it was opened.
        'read True EACCES ok EACCES',
        'write EACCES EACCES EACCES',
        'change EPERM EPERM EPERM EPERM EPERM EPERM EBADF',
        'inside EACCES EPERM EACCES EACCES EACCES',
        'link EXDEV EXDEV',
        'process EPERM EPERM EPERM',
        'network EACCES EACCES',
      ],
      stderr: '',
    });
  });
});
