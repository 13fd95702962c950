import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountAlso } from '../support/mount.ts';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const KINDS = [
  { user: 'the caller', ordinaryUser: false },
  { user: 'an ordinary user', ordinaryUser: true },
] as const;

/** A world with something to protect in it. */
function createTarget(ordinaryUser: boolean): World {
  const world = createWorld({ ordinaryUser });
  mkdirSync(join(world.home, '.ssh'));
  writeFileSync(join(world.home, '.ssh/id_ed25519'), 'secret\n');
  writeFileSync(join(world.home, 'notes.txt'), 'private\n');
  mkdirSync(join(world.directory, 'outside'), { mode: 0o777 });
  writeFileSync(join(world.directory, 'outside/file'), 'untouched\n', { mode: 0o666 });
  return world;
}

describe.for(KINDS)('a command of $user', ({ ordinaryUser }) => {
  test.for([
    { attempt: 'reading an SSH key', script: 'cat "$HOME/.ssh/id_ed25519"' },
    { attempt: 'listing the home directory', script: 'ls "$HOME"' },
    { attempt: 'reading a file beside the grants', script: 'cat "$HOME/notes.txt"' },
    { attempt: 'writing outside', script: 'echo changed >> ../outside/file' },
    { attempt: 'creating outside', script: 'echo new > ../outside/new' },
    { attempt: 'removing outside', script: 'rm -f ../outside/file' },
    { attempt: 'renaming into the outside', script: 'echo x > x; mv x ../outside/x' },
    { attempt: 'linking from the outside', script: 'ln ../outside/file here' },
    { attempt: 'truncating outside', script: 'truncate -s 0 ../outside/file' },
    { attempt: 'writing through a link', script: 'ln -s ../outside/file l; echo changed > l' },
    { attempt: 'writing to /tmp', script: 'echo x > /tmp/nono-probe-of-a-test' },
    { attempt: 'reading another temporary directory', script: 'ls /tmp' },
    { attempt: 'writing to /etc', script: 'echo x >> /etc/hosts' },
    { attempt: 'reading shadow', script: 'cat /etc/shadow' },
    { attempt: "reading nono's state", script: 'ls "$HOME/.nono"' },
    { attempt: "writing nono's state", script: 'echo x > "$HOME/.nono/sessions/planted.json"' },
    { attempt: 'killing its supervisor', script: 'kill -9 $PPID' },
    { attempt: 'signalling init', script: 'kill -0 1' },
    { attempt: 'reading the environment of its supervisor', script: 'cat /proc/$PPID/environ' },
    { attempt: 'looking into the root of its supervisor', script: 'ls /proc/$PPID/root/' },
    { attempt: 'making a device node', script: 'mknod device c 1 3' },
    { attempt: 'writing to the kernel', script: 'echo 0 > /proc/sys/kernel/randomize_va_space' },
    { attempt: 'mounting', script: 'mount -t tmpfs none .' },
  ])('fails at $attempt', async ({ script }, context) => {
    if (ordinaryUser) needOtherUser(context);
    using world = createTarget(ordinaryUser);

    const outcome = await runNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', `( ${script} ) || exit 42`]);

    expect(outcome).toMatchObject({ status: 42, signal: null });
    expect(readFileSync(join(world.directory, 'outside/file'), 'utf8')).toBe('untouched\n');
    expect(existsSync('/tmp/nono-probe-of-a-test')).toBe(false);
  });

  test.for([
    {
      work: 'git',
      needs: ['git'],
      script:
        'git init -q . && echo a > a && git add a && git -c user.name=n -c user.email=e@x commit -qm m && git log --oneline | wc -l',
    },
    {
      work: 'python',
      needs: ['/usr/bin/python3'],
      script: 'python3 -c "import json,sys,tempfile; f=tempfile.NamedTemporaryFile(); print(1)"',
    },
    { work: 'node', needs: ['/usr/bin/node'], script: "node -e \"require('fs').writeFileSync('f','x'); console.log(1)\"" },
    {
      work: 'threads and children of python',
      needs: ['/usr/bin/python3'],
      script:
        "python3 -c \"import threading as t,subprocess as s,socket; w=[t.Thread(target=s.run,args=(['true'],)) for _ in range(20)]; [x.start() for x in w]; [x.join() for x in w]; a,b=socket.socketpair(); print(socket.getaddrinfo('127.0.0.1',1)[0][4][1])\"",
    },
    {
      work: 'workers, children and a local socket of node',
      needs: ['/usr/bin/node'],
      script:
        "node -e \"new (require('worker_threads').Worker)('0',{eval:true}); require('child_process').execSync('true'); require('os').networkInterfaces(); const n=require('net'); const s=n.createServer(c=>c.end('1')).listen('s',()=>n.connect('s').on('data',d=>{console.log(String(d)); s.close()}))\"",
    },
    { work: 'a program in Go', needs: ['/usr/local/go/bin/go'], script: '/usr/local/go/bin/go env GOOS | grep -c linux' },
    { work: 'the JVM', needs: ['java'], script: 'java -version 2>&1 | grep -c VM' },
    { work: 'a pipeline', needs: [], script: 'seq 5 | sort -r | head -1 > f; wc -l < f' },
    { work: 'write-and-rename', needs: [], script: 'echo old > f; mkdir d; echo new > d/.f.tmp; mv d/.f.tmp f; grep -c new f' },
    {
      work: 'the private temporary directory',
      needs: [],
      script: 'f=$(mktemp); echo 1 > "$f"; case $f in "$TMPDIR"/*) cat "$f";; esac',
    },
    { work: 'a here document', needs: [], script: 'cat <<END\n1\nEND' },
    { work: 'running what it made', needs: [], script: 'printf "#!/bin/sh\\necho 1\\n" > p; chmod +x p; ./p' },
    { work: '/dev', needs: [], script: 'echo x > /dev/null; head -c 1 /dev/urandom | wc -c' },
    {
      work: 'the standard streams by name',
      needs: [],
      script: '(echo 1 > /dev/stdout) | cat; (echo x > /dev/stderr) 2> f; grep -q x f',
    },
  ])('can do its work with $work', async ({ needs, script }, context) => {
    needCommands(context, ...needs);
    if (ordinaryUser) needOtherUser(context);
    using world = createTarget(ordinaryUser);
    const environment = { PATH: '/usr/local/bin:/usr/bin:/bin' };

    const { status, stdout, stderr } = await runNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script], { environment });

    expect({ status, stdout: stdout.trim(), stderr }).toEqual({ status: 0, stdout: '1', stderr: '' });
  });
});

describe('grants', () => {
  test.for([
    { grant: ['--read', '../data'], reads: true, writes: false },
    { grant: ['--write', '../data'], reads: false, writes: true },
    { grant: ['--allow', '../data'], reads: true, writes: true },
    { grant: ['--read-file', '../data/f'], reads: true, writes: false },
    { grant: ['--write-file', '../data/f'], reads: false, writes: true },
    { grant: ['--allow-file', '../data/f'], reads: true, writes: true },
    { grant: ['--read', '../data', '--write', '../data'], reads: true, writes: true },
    { grant: ['--read', '../link'], reads: true, writes: false },
  ])('$grant gives exactly what it says', async ({ grant, reads, writes }) => {
    using world = createWorld();
    mkdirSync(join(world.directory, 'data'));
    writeFileSync(join(world.directory, 'data/f'), 'old\n');
    symlinkSync('data', join(world.directory, 'link'));
    const script = 'cat ../data/f >/dev/null 2>&1 && echo reads; (echo new > ../data/f) 2>/dev/null && echo writes; true';

    const { stdout } = await runNono(world, ['run', ...grant, '--', 'sh', '-c', script]);

    expect(stdout).toBe(`${reads ? 'reads\n' : ''}${writes ? 'writes\n' : ''}`);
  });

  test('an override opens the sensitive place that it names', async () => {
    using world = createTarget(false);
    const key = join(world.home, '.ssh/id_ed25519');

    const { status, stdout } = await runNono(world, ['run', '--read-file', key, '--override-deny', key, '--', 'cat', key]);

    expect({ status, stdout }).toEqual({ status: 0, stdout: 'secret\n' });
  });

  test('by another name of a mounted home directory gives neither its keys nor the state', async (context) => {
    using world = createTarget(false);
    const other = join(world.directory, 'elsewhere');
    mkdirSync(join(world.home, 'data'));
    using _ = mountAlso(context, world.home, other);
    const run = (path: string) => runNono(world, ['run', '--allow', path, '--', 'cat', join(world.home, '.ssh/id_ed25519')]);

    expect(await run(other)).toMatchObject({ status: 125, stdout: '', stderr: expect.stringContaining("nono's own state") });
    expect(await run(join(other, '.ssh'))).toMatchObject({ status: 125, stderr: expect.stringContaining('SSH keys') });
    expect(await run(join(other, 'data'))).toMatchObject({ status: 1, stderr: expect.stringContaining('Permission denied') });
  });
});

describe('the environment', () => {
  test('loses hooks and credentials, which are named without their values', async () => {
    using world = createWorld();
    const environment = { NODE_OPTIONS: '--require=/x', GITHUB_TOKEN: 'hunter2', API_KEY: 'hunter3', HARMLESS: 'yes' };

    const { stdout, stderr } = await runNono(world, ['run', '--allow-cwd', '--env', 'API_KEY', '--', 'env'], { environment });

    expect(stdout).toContain('HARMLESS=yes\n');
    expect(stdout).toContain('API_KEY=hunter3\n');
    expect(stdout).not.toMatch(/hunter2|NODE_OPTIONS/);
    expect(stderr).toBe('[nono] Withheld from the command: GITHUB_TOKEN, NODE_OPTIONS (pass one with --env NAME)\n');
  });

  test('and arguments that are not UTF-8 arrive byte for byte', async (context) => {
    needCommands(context, 'bash', 'od');
    using world = createWorld();
    const script = `exec "$0" run --allow-cwd -- sh -c 'printf %s "$1" | od -An -tx1; printf %s "$X" | od -An -tx1' sh $'a\\xff\\xfeb'`;
    const outcome = await startBash(world, `export X=$'v\\x80'; ${script}`);

    expect(outcome.stdout.replaceAll(/\s+/g, ' ').trim()).toBe('61 ff fe 62 76 80');
  });
});

async function startBash(world: World, script: string) {
  const { runProgram } = await import('../support/nono.ts');
  return runProgram(world, ['bash', '-c', script, world.executable]);
}

describe('the process', () => {
  test.for(['run', 'wrap'])(
    'of %s inherits no descriptor above 2 and no capability that reaches around',
    async (verb, context) => {
      needCommands(context, 'bash');
      using world = createWorld();
      const inside =
        'ls /proc/self/fd | wc -l; grep -E "^(NoNewPrivs|SigIgn|SigBlk)" /proc/self/status; grep CapBnd /proc/self/status';

      const { stdout } = await startBash(world, `exec 7</etc/passwd 9<.; exec "$0" ${verb} --allow-cwd -- sh -c '${inside}'`);

      const [descriptors, ...lines] = stdout.trim().split('\n');
      // 0, 1, 2 and the one that ls lists with.
      expect(descriptors).toBe('4');
      expect(lines).toEqual(expect.arrayContaining(['NoNewPrivs:\t1', 'SigIgn:\t0000000000000000', 'SigBlk:\t0000000000000000']));
      if (process.getuid?.() === 0) expect(lines).toContain('CapBnd:\t00000000000004fb');
    },
  );

  test.for(['run', 'wrap'])(
    'has in %s as many descriptors as its caller, which the runtime has raised for itself',
    async (verb) => {
      using world = createWorld();
      const words = `"$0" ${verb} --allow-cwd -- sh -c 'ulimit -Sn; ulimit -Hn'; exit $?`;
      const limited = (limits: string) => runProgram(world, ['sh', '-c', `${limits}; ${words}`, world.executable]);

      expect(await limited('ulimit -n 400; ulimit -Sn 300')).toMatchObject({ status: 0, stdout: '300\n400\n' });
      expect(await limited('ulimit -n 400')).toMatchObject({ status: 0, stdout: '400\n400\n' });
    },
  );

  test('keeps the signals that its caller ignores', async (context) => {
    needCommands(context, 'bash');
    using world = createWorld();

    const { stdout } = await startBash(world, `trap '' HUP USR1; exec "$0" run --allow-cwd -- grep SigIgn /proc/self/status`);

    expect(stdout).toBe('SigIgn:\t0000000000000201\n');
  });

  test('dies with a supervisor that is killed, whose leftovers a prune sweeps', async () => {
    using world = createWorld();
    const script = 'echo "$TMPDIR"; echo $$; exec sleep 1000';
    const running = startNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script]);
    const [temporary, pid] = await waitFor('the command', () => {
      const lines = running.stdout().split('\n');
      return lines.length > 2 && lines;
    });
    // Once its owner is dead, any nono of this user may be the next one.
    expect(existsSync(String(temporary))).toBe(true);

    running.child.kill('SIGKILL');
    await running.ended;
    await waitFor(
      'the end of the command',
      () => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '),
    );
    await runNono(world, ['prune']);

    expect(existsSync(String(temporary))).toBe(false);
  });
});
