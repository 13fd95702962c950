import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LONG_MS } from '../support/approvals.ts';
import { runProgram, startNono } from '../support/nono.ts';
import { compileProbe, nameResult } from '../support/probe.ts';
import { VERBS } from '../support/sandboxed.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, USERS, type World } from '../support/world.ts';

/** Attempts of escape-probe.c at a process outside that Landlock answers from ABI 6 on, and the mediator before. */
const SIGNALS = [
  'signal_it',
  'signal_thread',
  'signal_old_thread',
  'signal_queue',
  'signal_thread_queue',
  'signal_by_descriptor',
  'signal_group',
];
/** Here only the mediator and the filter refuse; Landlock keeps the signal itself from being sent. */
const OWNERS = ['own_descriptor', 'own_descriptor_again', 'own_socket'];

/** Attempts at a file that may only be read, and what they get whichever part of the sandbox it is that answers. */
const FILES = {
  truncate_path: ['EACCES', 'EPERM'],
  truncate_by_open: ['EACCES', 'EPERM'],
  truncate_for_nothing: ['EACCES', 'EPERM'],
  write_it: ['EACCES'],
  exchange: ['EACCES', 'EXDEV'],
  rename_within: ['EACCES', 'EXDEV'],
  link_into: ['EXDEV'],
  fifo_outside: ['EACCES'],
  mode_path: ['EPERM'],
  times_at: ['EPERM'],
  own_namespace_again: ['EPERM'],
  io_uring: ['EPERM'],
};

/** What programs do with signals among themselves, each in its own way. */
const INSIDE = `
import ctypes, fcntl, os, select, signal, socket, subprocess, sys, threading, time
def child(): return subprocess.Popen(["sleep", "1000"], start_new_session=True)
c = child(); c.kill(); print("kill", c.wait())
c = child(); os.killpg(c.pid, signal.SIGTERM); print("group", c.wait())
c = subprocess.Popen(["sh", "-c", "sleep 1000 & sleep 1000 & echo; wait"], start_new_session=True, stdout=subprocess.PIPE)
c.stdout.read(1); os.killpg(c.pid, signal.SIGKILL); print("whole group", c.wait(), c.stdout.read())
c = child(); os.kill(c.pid, signal.SIGSTOP); print("stop", os.WIFSTOPPED(os.waitpid(c.pid, os.WUNTRACED)[1])); os.kill(c.pid, signal.SIGCONT); c.kill(); c.wait()
c = child(); signal.pidfd_send_signal(os.pidfd_open(c.pid), signal.SIGKILL); print("pidfd", c.wait())
libc = ctypes.CDLL(None, use_errno=True)
libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
c = child(); print("queue", libc.sigqueue(c.pid, 15, None), c.wait())
c = child(); print("tkill", libc.syscall(TKILL, c.pid, 15), c.wait())
got = []
signal.signal(signal.SIGUSR1, lambda n, f: got.append(n))
os.kill(os.getpid(), signal.SIGUSR1); signal.raise_signal(signal.SIGUSR1); os.kill(0, signal.SIGUSR1); print("own", len(got))
print("queue to itself", libc.sigqueue(os.getpid(), signal.SIGUSR1, None), len(got))
t = threading.Thread(target=lambda: time.sleep(0.5)); t.start()
signal.pthread_kill(t.ident, signal.SIGUSR1); t.join(); print("thread", len(got))
# The C library sends each thread a signal for this, and believes only one of its own process.
t = threading.Thread(target=lambda: time.sleep(0.2)); t.start()
uids = os.getresuid(); os.setresuid(*uids); t.join(); print("ids of all threads", os.getresuid() == uids)
a, b = socket.socketpair(); signal.signal(signal.SIGIO, lambda n, f: got.append(n))
before = len(got); fcntl.fcntl(a, fcntl.F_SETOWN, os.getpid()); fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC); b.send(b"x"); select.select([a], [], [], 5)
print("signal of a descriptor", len(got) - before, fcntl.fcntl(a, fcntl.F_GETOWN) == os.getpid())
try: os.kill(99999999, 0)
except ProcessLookupError: print("nobody")
try: os.kill(os.getpid(), 999)
except OSError: print("no such signal")
`;
const TKILL = process.arch === 'arm64' ? 130 : 200;

const WORKS = [
  'kill -9',
  'group -15',
  "whole group -9 b''",
  'stop True',
  'pidfd -9',
  'queue 0 -15',
  'tkill 0 -15',
  'own 3',
  'queue to itself 0 4',
  'thread 5',
  'ids of all threads True',
  'signal of a descriptor 1 True',
  'nobody',
  'no such signal',
];

const kernel = compileProbe('older-kernel');
const attempts = compileProbe();
if (kernel === undefined) console.warn('No older kernel is simulated: that needs a C compiler');
afterAll(() => {
  kernel?.[Symbol.dispose]();
  attempts?.[Symbol.dispose]();
});

describe.runIf(kernel !== undefined).for(USERS)('for $user', ({ ordinaryUser }) => {
  let world: World;
  let target: ChildProcess;
  let older = '';
  let probe = '';
  let abstract = '';
  beforeAll(async () => {
    world = createWorld({ ordinaryUser });
    older = kernel?.copyTo(world) ?? '';
    probe = attempts?.copyTo(world) ?? '';
    abstract = `nono-test-older-${process.pid}-${world.project}`;
    const [file, ...words] = [...world.asUser, probe, 'serve', abstract, join(world.home, 's')];
    target = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    await new Promise((resolve) => target.stdout?.once('data', resolve));
  });
  afterAll(() => {
    target.kill('SIGKILL');
    world[Symbol.dispose]();
  });

  const withAbi = (abi: number, words: readonly string[]) => runProgram(world, [older, String(abi), world.executable, ...words]);

  test.for([1, 2, 3, 4, 5, 6, 7])('with Landlock ABI %i files outside stay as they are', async (abi) => {
    const file = join(world.home, 'readable/file');
    await runProgram(world, ['sh', '-c', `mkdir -p ${world.home}/readable; cp ${probe} ${file}`]);
    const tries = [probe, 'try', ...Object.keys(FILES).flatMap((attempt) => [attempt, file])];
    for (const verb of VERBS) {
      const options = [...(abi === 1 ? ['--best-effort'] : []), '--allow-cwd', '--read', join(world.home, 'readable')];
      const { stdout } = await withAbi(abi, [verb, ...options, '--', ...tries]);

      const answers = stdout
        .split(/^= .*$/m)
        .slice(1)
        .map(nameResult);
      const expected = Object.values(FILES).map((allowed) => expect.toSatisfy((answer: string) => allowed.includes(answer)));
      expect(answers).toEqual(expected);
    }
  });

  test.for([2, 3, 4, 5, 6].flatMap((abi) => VERBS.map((verb) => ({ abi, verb }))))(
    'with Landlock ABI $abi, strictly, signals and abstract sockets stay inside under $verb',
    async ({ abi, verb }) => {
      const names = [...SIGNALS, ...(abi < 6 ? OWNERS : [])];
      const script = `for name in ${names.join(' ')}; do ${probe} $name ${target.pid}; done; ${probe} connect_abstract ${abstract}`;
      const outside = await runProgram(world, ['sh', '-c', script]);
      expect(new Set(outside.stdout.trim().split('\n'))).toEqual(new Set(['ok']));

      const words = ['sh', '-c', `${script}; ${probe} signal_it $PPID`];
      const { stdout, stderr } = await withAbi(abi, [verb, '--allow-cwd', '--', ...words]);

      const answers = stdout.trim().split('\n').map(nameResult);
      expect({ answers, stderr }).toEqual({ answers: [...names, '', ''].map(() => 'EPERM'), stderr: '' });
    },
  );

  describe.for([2, 4, 6])('with Landlock ABI %i, strictly,', (abi) => {
    test.for(VERBS)('programs signal their own as ever under %s', async (verb, context) => {
      needCommands(context, PYTHON);
      const script = INSIDE.replace('TKILL', String(TKILL));

      const { stdout, stderr } = await withAbi(abi, [verb, '--allow-cwd', '--', PYTHON, '-c', script]);

      expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({ lines: WORKS, stderr: '' });
    });
  });

  test('a session on a terminal of its own keeps them inside too, and ends what it started', async (context) => {
    needCommands(context, 'setsid');
    const script = `sleep 1000 & kill $!; wait $!; echo ended $?; ${probe} signal_it ${target.pid}; ${probe} signal_it $PPID
setsid sleep 1000 & echo $! > descendant`;
    await withAbi(4, ['run', '--detached', '--name', 'own', '--allow-cwd', '--', 'sh', '-c', `{ ${script}; } > result`]);

    const result = readFileSync(join(world.project, 'result'), 'utf8');
    expect(result.trim().split('\n').map(nameResult)).toEqual(['ended 143', 'EPERM', 'EPERM']);
    const descendant = readFileSync(join(world.project, 'descendant'), 'utf8').trim();
    expect(existsSync(`/proc/${descendant}`)).toBe(false);
  });

  test('a session that is stopped asks all to end, what another thread has started too', async (context) => {
    needCommands(context, PYTHON);
    const child = "trap 'echo asked > got; exit' TERM; echo > ready; while :; do sleep 0.05; done";
    const script = `import subprocess, threading
threading.Thread(target=lambda: subprocess.run(["sh", "-c", ${JSON.stringify(child)}])).start()`;
    const words = ['run', '--name', 'threads', '--allow-cwd', '--', PYTHON, '-c', script];
    const running = startNono({ ...world, executable: older }, ['4', world.executable, ...words]);
    await waitFor('the child', () => existsSync(join(world.project, 'ready')));

    await runProgram(world, [world.executable, 'stop', 'threads']);
    await running.ended;

    expect(existsSync(join(world.project, 'got'))).toBe(true);
  });

  test('the record says what enforces, and with which ABI', async () => {
    await withAbi(2, ['run', '--name', 'mediated', '--allow-cwd', '--', 'true']);
    const inspected = await runProgram(world, [world.executable, 'inspect', 'mediated', '--json']);

    expect(JSON.parse(inspected.stdout)).toMatchObject({
      enforced: { landlock_abi: 2, signals: true, abstract_sockets: true, truncate: true, missing: [] },
    });
  });

  test('a request that signals interrupt stays one question, and gets its answer', { timeout: LONG_MS }, async (context) => {
    needCommands(context, PYTHON);
    const out = join(world.home, 'asked');
    await runProgram(world, ['sh', '-c', `mkdir ${out}; printf allowed > ${out}/f`]);
    const script = `
import os, signal
print("pid", os.getpid(), flush=True)
signal.signal(signal.SIGALRM, lambda *_: os.write(1, b"tick\\n"))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
text = open("${out}/f").read()
signal.setitimer(signal.ITIMER_REAL, 0)
print(text)`;
    const options = ['run', '--best-effort', '--ask', '--allow-cwd'];
    const running = startNono({ ...world, executable: older }, ['1', world.executable, ...options, '--', PYTHON, '-c', script], {
      timeoutMs: LONG_MS,
    });
    const ticks = (count: number) => waitFor('the signals', () => running.stdout().split('tick').length > count);
    const list = async (): Promise<readonly string[]> => {
      const { stdout } = await runProgram(world, [world.executable, 'approvals', '--json']);
      return (JSON.parse(stdout) as { readonly approvals: readonly { readonly id: string }[] }).approvals.map(({ id }) => id);
    };
    const [id = ''] = await waitFor('the question', async () => {
      const found = await list();
      return found.length > 0 ? found : undefined;
    });
    await ticks(running.stdout().split('tick').length + 20);
    expect(await list()).toEqual([id]);
    // The answer comes while nothing waits for it, and no later wait is a long one.
    const pid = Number(/^pid (\d+)$/m.exec(running.stdout())?.[1]);
    process.kill(pid, 'SIGSTOP');
    expect(await runProgram(world, [world.executable, 'allow', id])).toMatchObject({ status: 0 });
    process.kill(pid, 'SIGCONT');
    // What was left alone for too long meanwhile is asked again.
    const isAnswered = () => running.stdout().includes('allowed');
    while (!isAnswered()) for (const again of await list()) await runProgram(world, [world.executable, 'allow', again]);

    const { stdout } = await running.ended;
    expect(stdout.trim().split('\n').at(-1)).toBe('allowed');
  });

  test('what no mediation makes up for is an error that names the kernel, and is said everywhere with --best-effort', async () => {
    for (const verb of VERBS) {
      const strict = await withAbi(1, [verb, '--allow-cwd', '--', 'true']);
      expect(strict).toMatchObject({
        status: 126,
        stderr: expect.stringMatching(/signals to processes outside \(Linux 5\.19\)/) as string,
      });
      const ports = await withAbi(2, [verb, '--allow-cwd', '--allow-port', '80', '--', 'true']);
      expect(ports).toMatchObject({ status: 126, stderr: expect.stringMatching(/Linux 6\.7/) as string });
    }

    const { status, stderr } = await withAbi(1, ['run', '--name', 'less', '--best-effort', '--allow-cwd', '--', 'true']);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(/Not enforced on this kernel: signals to processes outside/) as string,
    });
    const missing = ['signals to processes outside'];
    const inspected = await runProgram(world, [world.executable, 'inspect', 'less', '--json']);
    const record = JSON.parse(inspected.stdout) as { session_id: string };
    expect(record).toMatchObject({ enforced: { landlock_abi: 1, signals: false, missing } });
    const log = await runProgram(world, ['cat', join(world.state, 'sessions', `${record.session_id}.events.jsonl`)]);
    expect(JSON.parse(log.stdout.split('\n')[0] ?? '')).toMatchObject({ enforced: { missing } });
  });
});
