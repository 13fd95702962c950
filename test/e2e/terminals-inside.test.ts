import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, USERS, type World } from '../support/world.ts';

const PRELUDE = `
import errno, fcntl, os, struct, sys, termios
def name(call):
    try: return call()
    except OSError as error: return errno.errorcode[error.errno]
def make():
    master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, 0x40045431, struct.pack("i", 0))
    return master, "/dev/pts/%d" % struct.unpack("i", fcntl.ioctl(master, 0x80045430, struct.pack("i", 0)))[0]
`;

import { VERBS } from '../support/sandboxed.ts';

/** As expect, vim, Emacs, Ruby and programs in Go do it. */
const BY_NAME = `${PRELUDE}
master, path = make()
for flags in (os.O_RDWR | os.O_NOCTTY, os.O_RDWR, os.O_RDWR | os.O_NONBLOCK):
    side = os.open(path, flags)
    print(os.ttyname(side) == path, os.isatty(side), bool(fcntl.fcntl(side, fcntl.F_GETFL) & os.O_NONBLOCK), os.get_inheritable(side))
termios.tcsetattr(side, termios.TCSANOW, termios.tcgetattr(side))
os.write(master, b"typed\\n"); print(os.read(side, 9))
pid = os.fork()
if pid == 0:
    os.setsid(); os.close(master)
    own = os.open(path, os.O_RDWR); fcntl.ioctl(own, termios.TIOCSCTTY, 0)
    os.write(own, b"from " + os.ctermid().encode()); os.open("/dev/tty", os.O_RDWR); os._exit(7)
shown = b""
while b"tty" not in shown: shown += os.read(master, 99)
print(shown); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
os.close(master)
print(name(lambda: os.open(path, os.O_RDWR)))
`;

/** The number of a terminal that was made inside and is gone is another one's now. */
const TAKEN_OVER = `${PRELUDE}
master, path = make(); os.close(os.open(path, os.O_RDWR)); os.close(master)
print(path); sys.stdout.flush(); sys.stdin.readline()
print(name(lambda: os.open(path, os.O_RDWR)), name(lambda: os.open(path, os.O_RDWR | os.O_NOCTTY)), name(lambda: os.open(path, os.O_RDONLY)))
`;

/** Makes terminals until there is one of that name, and holds them. */
const HOLDER = `
import os, sys
held = []
while not os.path.exists(sys.argv[1]): held += os.openpty()
print("held"); sys.stdout.flush(); sys.stdin.readline()
`;

describe.for(USERS)('a terminal that a command of $user makes', ({ ordinaryUser }) => {
  test.for(VERBS)('can be opened by its name under %s', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });

    const words = [world.executable, verb, '--allow-cwd', '--', PYTHON, '-c', BY_NAME] as const;
    const { stdout, stderr } = await runProgram(world, words);

    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: [
        'True True False False',
        'True True False False',
        'True True True False',
        "b'typed\\n'",
        "b'typed\\r\\nfrom /dev/tty'",
        '7',
        expect.stringMatching(/^(?:ENOENT|EACCES)$/) as string,
      ],
      stderr: '',
    });
  });

  test.for(VERBS)('leaves its name to nobody under %s: the next terminal of that name is closed', async (verb, context) => {
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser });

    // Where somebody else had that name, and gave it back meanwhile, nothing was seen.
    const seen = await waitFor('another terminal of that name that stays', () => openTakenOver(world, verb));

    expect(seen).toBe('EACCES EACCES EACCES');
  });
});

/** @returns what came of it to open the terminal that has the number of one that was made inside; undefined when that was none by then. */
async function openTakenOver(world: World, verb: string): Promise<string | undefined> {
  const inside = startNono(world, [verb, '--allow-cwd', '--', PYTHON, '-c', TAKEN_OVER], { keepsInput: true });
  const path = await waitFor('its name', () => /^\/dev\/pts\/\d+/.exec(inside.stdout())?.[0]);
  const holder = startNono({ ...world, executable: PYTHON }, ['-c', HOLDER, path], { keepsInput: true });
  await waitFor('the other terminal', () => holder.stdout() !== '');
  inside.child.stdin?.end('go on\n');
  const { stdout } = await inside.ended;
  const isThere = existsSync(path);
  holder.child.stdin?.end('\n');
  await holder.ended;
  return isThere ? stdout.split('\n')[1] : undefined;
}

test('programs that make terminals work: script, and a server of tmux with several windows', async (context) => {
  needCommands(context, 'script', 'tmux');
  using world = createWorld();
  const script = `export TMUX_TMPDIR=$TMPDIR
tmux -f /dev/null new-session -d -x 80 -y 24 'tty > first; cat' && tmux split-window 'tty > second; cat' && tmux new-window 'script -qec tty /dev/null > third; cat'
while [ ! -s first ] || [ ! -s second ] || [ ! -s third ]; do sleep 0.05; done
tmux list-panes -s | wc -l; tmux kill-server; cat first second third | tr -d '\\r' | sort -u | wc -l`;

  expect(await runNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script])).toMatchObject({ status: 0, stdout: '3\n3\n' });
});
