import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { profilePath, write } from '../support/profiles.ts';
import { randomNumbers } from '../support/random.ts';
import { needCommands, needOtherUser, PYTHON } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const NOBODY = 65534;
const POLICIES = 20;
const PAIRS_FOR_EACH_POLICY = 100;
const OPERATIONS = ['read', 'write', 'readwrite'] as const;
type Operation = (typeof OPERATIONS)[number];

/** Does each thing really, in the order asked, and says 1 or 0. What it makes it removes. */
const DO_IT = `
while IFS=' ' read -r op path; do
  result=1
  if [ -d "$path" ]; then
    case $op in read|readwrite) ls "$path" >/dev/null 2>&1 || result=0;; esac
    case $op in write|readwrite) { (: > "$path/.made") 2>/dev/null && rm "$path/.made" 2>/dev/null; } || result=0;; esac
  elif [ -e "$path" ] || [ -L "$path" ]; then
    case $op in read|readwrite) (: < "$path") 2>/dev/null || result=0;; esac
    case $op in write|readwrite) (: >> "$path") 2>/dev/null || result=0;; esac
  else
    (: > "$path") 2>/dev/null || result=0
    if [ $result = 1 ]; then
      [ $op = write ] || (: < "$path") 2>/dev/null || result=0
      rm "$path" 2>/dev/null || result=0
    fi
  fi
  echo $result
done`;

interface Tree {
  readonly directories: readonly string[];
  readonly files: readonly string[];
  readonly links: readonly string[];
}

/** Directories, some of them empty, files and links in the project, some of them closed to their owner. */
function growTree(world: World, random: (below: number) => number): Tree {
  const directories = [join(world.project, 'tree')];
  const files: string[] = [];
  const links: string[] = [];
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  for (let at = 0; at < 14; at++) directories.push(join(pick(directories), `d${at}`));
  for (const path of directories) {
    mkdirSync(path);
    files.push(join(path, 'f'));
  }
  for (let at = 0; at < 12; at++) files.push(join(pick(directories), `g${at}`));
  for (const path of files) writeFileSync(path, 'x\n');
  for (let at = 0; at < 4; at++) {
    const path = join(pick(directories), `e${at}`);
    mkdirSync(path);
    directories.push(path);
  }
  for (let at = 0; at < 8; at++) {
    const path = join(pick(directories), `l${at}`);
    symlinkSync(random(2) === 0 ? pick(directories) : pick(files), path);
    links.push(path);
  }
  for (const path of [...directories, ...files]) chownSync(path, NOBODY, NOBODY);
  for (const path of links) lchownSync(path, NOBODY, NOBODY);
  for (const path of files.filter(() => random(5) === 0)) chmodSync(path, random(2) === 0 ? 0o400 : 0o200);
  return { directories, files, links };
}

function drawGrants({ directories, files }: Tree, random: (below: number) => number): readonly string[] {
  return Array.from({ length: 1 + random(4) }, () => {
    const isFile = random(3) === 0;
    const option = ['--read', '--write', '--allow'][random(3)] ?? '';
    const list = isFile ? files : directories;
    return [`${option}${isFile ? '-file' : ''}`, list[random(list.length)] ?? ''];
  }).flat();
}

/** A path of the tree, or one that does not exist in a directory of it. */
function drawPath({ directories, files, links }: Tree, operation: Operation, random: (below: number) => number): string {
  const all = [...directories, ...files, ...links];
  if (operation !== 'read' && random(4) === 0) return join(directories[random(directories.length)] ?? '', 'missing');
  return all[random(all.length)] ?? '';
}

interface Answer {
  readonly status: string;
  readonly probe: string;
}

async function ask(world: World, operation: Operation, words: readonly string[]): Promise<readonly Answer[]> {
  const { stdout, stderr } = await runNono(world, ['why', '--json', '--op', operation, ...words]);
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { readonly answers: readonly Answer[] }).answers;
}

/** What happens when it is really done. */
async function doIt(world: World, grants: readonly string[], pairs: readonly (readonly [Operation, string])[]) {
  const input = pairs.map(([operation, path]) => `${operation} ${path}\n`).join('');
  const { stdout } = await runNono(world, ['wrap', ...grants, '--', 'sh', '-c', DO_IT], { input });
  return stdout
    .trim()
    .split('\n')
    .map((result) => (result === '1' ? 'allowed' : 'denied'));
}

describe('nono why', () => {
  test(`agrees with its probe and with the kernel on ${POLICIES * PAIRS_FOR_EACH_POLICY} pairs of path and operation`, {
    timeout: 300_000,
  }, async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const random = randomNumbers(11);
    const tree = growTree(world, random);
    const before = readdirSync(join(world.project, 'tree'), { recursive: true, withFileTypes: true }).length;
    let allowed = 0;
    for (let policy = 0; policy < POLICIES; policy++) {
      const grants = drawGrants(tree, random);
      const pairs = Array.from({ length: PAIRS_FOR_EACH_POLICY }, (_, at): [Operation, string] => {
        const operation = OPERATIONS[at % OPERATIONS.length] as Operation;
        return [operation, drawPath(tree, operation, random)];
      });
      const kernel = await doIt(world, grants, pairs);
      for (const operation of OPERATIONS) {
        const asked = pairs.flatMap(([other, path], at) => (other === operation ? [{ path, kernel: kernel[at] }] : []));
        const paths = asked.map(({ path }) => path);
        const planned = await ask(world, operation, [...grants, '--no-probe', ...paths]);
        const probed = await ask(world, operation, [...grants, ...paths]);
        const seen = asked.map(({ path, kernel: status }, at) => ({
          path,
          status,
          probed: probed[at]?.status,
          planned: planned[at]?.status,
        }));
        expect({ grants, operation, seen }).toEqual({
          grants,
          operation,
          seen: seen.map(({ path, status }) => ({ path, status, probed: status, planned: status })),
        });
        expect(probed.map(({ probe }) => probe)).not.toContain('disagrees');
        allowed += asked.filter(({ kernel: status }) => status === 'allowed').length;
      }
    }
    // Both answers have to come up, or the test says nothing.
    expect(allowed).toBeGreaterThan(POLICIES * PAIRS_FOR_EACH_POLICY * 0.1);
    expect(allowed).toBeLessThan(POLICIES * PAIRS_FOR_EACH_POLICY * 0.9);
    expect(readdirSync(join(world.project, 'tree'), { recursive: true, withFileTypes: true }).length).toBe(before);
  });

  test('asks of a FIFO and a socket for their permissions', async (context) => {
    needOtherUser(context);
    needCommands(context, PYTHON);
    using world = createWorld({ ordinaryUser: true });
    const make =
      'import os, socket; os.mkfifo("open", 0o600); os.mkfifo("shut", 0o400); os.mkfifo("blind", 0o200); socket.socket(socket.AF_UNIX).bind("s"); os.chmod("s", 0)';
    expect(await runProgram(world, [PYTHON, '-c', make])).toMatchObject({ status: 0, stderr: '' });
    const paths = ['open', 'shut', 'blind', 's'].map((name) => join(world.project, name));

    const seen = await Promise.all(OPERATIONS.map((operation) => ask(world, operation, ['--allow-cwd', ...paths])));

    expect(seen.map((answers) => answers.map(({ status }) => status))).toEqual([
      ['allowed', 'allowed', 'denied', 'denied'],
      ['allowed', 'denied', 'allowed', 'denied'],
      ['allowed', 'denied', 'denied', 'denied'],
    ]);
  });

  test('names a way that is taken, past all sensitive places at once', async () => {
    using world = createWorld();
    for (const name of ['gh', 'gcloud', 'tool']) mkdirSync(join(world.home, '.config', name), { recursive: true });
    const asked = [join(world.home, '.config'), join(world.home, '.config/gh/hosts.yml'), join(world.home, '.config/tool/new')];

    for (const path of asked) {
      const { stdout } = await runNono(world, ['why', path]);
      const [, way = ''] = /^ {2}To allow it: (.*)$/m.exec(stdout) ?? [];
      expect(way).toMatch(/^--read /);
      const again = await runNono(world, ['why', ...way.split(' '), path]);
      expect(again).toMatchObject({ stderr: '', stdout: expect.stringMatching(/: allowed: /) as string });
    }
  });

  test('knows what a profile has made before the command starts', async () => {
    using world = createWorld();
    const made = '[filesystem]\ncreate = ["~/.cache/tool"]\ncreate_file = { "~/.tool.json" = "{}" }\n';
    write(world, profilePath('tool'), made);
    const paths = ['.tool.json', '.cache/tool', '.cache/tool/new', '.cache/new'].map((name) => join(world.home, name));
    const options = ['--profile', 'tool', '--allow-cwd'];

    for (const operation of OPERATIONS) {
      const answers = await ask(world, operation, [...options, ...paths]);
      expect(answers.map(({ status, probe }) => `${status} ${probe}`)).toEqual([
        'allowed skipped',
        'allowed skipped',
        'allowed skipped',
        'denied skipped',
      ]);
    }

    expect(existsSync(join(world.home, '.cache'))).toBe(false);
    const pairs = paths.map((path) => ['readwrite', path] as const);
    expect(await doIt(world, options, pairs)).toEqual(['allowed', 'allowed', 'allowed', 'denied']);
  });

  test('answers whatever is in PATH, as long as it is not asked about a command', async () => {
    using world = createWorld();
    const environment = { PATH: world.project };
    expect(await runNono(world, ['why', '/etc/passwd'], { environment })).toMatchObject({ status: 0, stderr: '' });
  });

  test('leaves no trace of its probes', async () => {
    using world = createWorld();
    mkdirSync(join(world.project, 'd'));
    writeFileSync(join(world.project, 'd/f'), 'x');
    const before = ['d', 'd/f'].map((name) => statSync(join(world.project, name)));

    const { stdout } = await runNono(world, ['why', '--op', 'readwrite', '--allow-cwd', 'd', 'd/f']);

    expect(stdout).toMatch(/^d: allowed: .*\(the kernel agrees\)\nd\/f: allowed: .*\(the kernel agrees\)\n$/);
    const after = ['d', 'd/f'].map((name) => statSync(join(world.project, name)));
    for (const [at, { mtimeMs, ctimeMs, ino }] of before.entries()) expect(after[at]).toMatchObject({ mtimeMs, ctimeMs, ino });
    expect(readdirSync(world.home)).toEqual([]);
  });

  test.for([
    {
      words: ['HOME/.ssh/id'],
      answer:
        /denied: no rule reaches it; it is inside .*\.ssh, SSH keys \(the kernel agrees\)\n {2}To allow it: --read-file .*id --override-deny .*\.ssh\n/,
    },
    { words: ['HOME/.nono'], answer: /denied: .*nono's own state\n$/ },
    {
      words: ['HOME/new'],
      answer:
        /^.*new: denied: no rule reaches it; it does not exist, and its directory cannot be shared: that contains .*\.nono, nono's own state\n$/,
    },
    { words: ['HOME'], answer: /^.*home: denied: no rule reaches it; it contains .*\.nono, nono's own state.*\n$/ },
    { words: ['/dev/null', '--op', 'readwrite'], answer: /allowed: the device \/dev\/null gives it\n/ },
    { words: ['/usr/bin/env'], answer: /allowed: .*\(the kernel agrees\)\n/ },
    {
      words: ['out', '--op', 'write', '--allow-cwd'],
      answer: /^out: denied: no rule reaches it; it does not exist, and its directory cannot be shared: .*\n$/,
    },
    { words: ['out', '--allow-cwd'], answer: /^out: denied: no rule reaches it; / },
    { words: ['over', '--op', 'write', '--allow-cwd'], answer: /^over: allowed: the grant of .*project gives it.*\n$/ },
    { words: ['far', '--op', 'write', '--allow-cwd'], answer: /^far: denied: neither it nor its directory exists\n$/ },
    { words: ['round', '--op', 'write', '--allow-cwd'], answer: /^round: denied: the path leads nowhere\n$/ },
    { words: ['HOME/x;id', '--op', 'write'], answer: /\n {2}To allow it: --write-file '.*\/x;id'\n$/ },
    { words: ['/proc/self/comm', '--op', 'write'], answer: /: denied: .*, an interface of the kernel \(the kernel agrees\)\n$/ },
    { words: ['/proc/self/environ'], answer: /^.*: allowed: the system path \/proc gives it \(the kernel agrees\)\n$/ },
    { words: ['nowhere/at/all'], answer: /denied: neither it nor its directory exists\n/ },
    {
      words: ['new', '--op', 'write', '--read', '.'],
      answer: /denied: the grant of .*project gives no writing.*\n {2}To allow it: --write .*project\n/,
    },
    {
      words: ['--path', 'p', '--op', 'write', '--allow-cwd', '--no-probe'],
      answer: /^p: allowed: the grant of .*project gives it\n$/,
    },
    {
      words: ['HOME/.cache/pip/x', '--op', 'write', '--profile', 'python-dev'],
      answer: /: allowed: the profile's .*\/pip gives it; its directory is made before the command starts\n$/,
    },
  ])('says of $words what holds', async ({ words, answer }) => {
    using world = createWorld();
    mkdirSync(join(world.home, '.ssh'));
    writeFileSync(join(world.home, '.ssh/id'), 'secret\n');
    writeFileSync(join(world.project, 'p'), '');
    writeFileSync(join(world.home, 'x;id'), '');
    for (const [name, target] of Object.entries({ out: '../home/new', over: './within', far: '../no/where', round: 'round' }))
      symlinkSync(target, join(world.project, name));

    const { stdout, stderr, status } = await runNono(world, ['why', ...words.map((word) => word.replace('HOME', world.home))]);

    expect({ stdout, stderr, status }).toEqual({ stdout: expect.stringMatching(answer) as string, stderr: '', status: 0 });
  });

  test.for([
    { words: ['s'], answer: /^s: denied: no grant names this socket\n {2}To allow it: --allow-socket .*\/project\/s\n$/ },
    { words: ['s', '--allow-socket', 's'], answer: /^s: allowed: the socket grant of .*\/project\/s gives it\n$/ },
    { words: ['s', '--allow-cwd'], answer: /^s: allowed: it is in .*\/project, which may be written\n$/ },
    { words: ['s', '--read', '.'], answer: /^s: denied: no grant names this socket\n/ },
    { words: ['f', '--allow-cwd'], answer: /^f: denied: it is no socket\n$/ },
  ])('says of connecting with $words what the mediator does', async ({ words, answer }, context) => {
    needCommands(context, '/usr/bin/python3');
    using world = createWorld();
    writeFileSync(join(world.project, 'f'), '');
    const server = createServer((socket) => socket.end()).listen(join(world.project, 's'));
    await once(server, 'listening');
    try {
      const { stdout } = await runNono(world, ['why', '--op', 'connect', ...words]);
      const connect = 'import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])';
      // What python needs is among the system paths; a run needs some grant, and this one opens nothing.
      const grants = words.length === 1 ? ['--read', '/usr'] : words.slice(1);
      const run = ['wrap', ...grants, '--', '/usr/bin/python3', '-c', connect, words[0] ?? ''];
      const { status } = await runNono(world, run);

      expect(stdout).toMatch(answer);
      expect(status === 0).toBe(stdout.startsWith('s: allowed'));
    } finally {
      server.close();
    }
  });

  test('tells a datagram socket from one that may be connected to', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    // A name stays when its socket is gone, and tells nobody its type any more.
    const make = `import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('d')
for way in ['--allow-cwd'], ['--allow-cwd', '--allow-socket', 'd']:
    subprocess.run([sys.argv[1], 'why', '--op', 'connect', 'd', *way])
    connect = "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect('d')"
    done = subprocess.run([sys.argv[1], 'wrap', *way, '--', sys.executable, '-c', connect], stderr=subprocess.DEVNULL)
    print(done.returncode, flush=True)
`;

    const { stdout, stderr } = await runProgram(world, [PYTHON, '-c', make, world.executable]);

    expect(stderr).toBe('');
    const way = `  To allow it: --allow-socket ${world.project}/d`;
    const denied = 'd: denied: it is a datagram socket, which no command can connect to without --allow-socket';
    const allowed = `d: allowed: the socket grant of ${world.project}/d gives it`;
    expect(stdout).toBe(`${denied}\n${way}\n1\n${allowed}\n0\n`);
  });

  test("names a way to the session's bus that is taken", async () => {
    using world = createWorld();
    const bus = join(world.home, 'bus');
    const server = createServer((socket) => socket.end()).listen(bus);
    await once(server, 'listening');
    const environment = { XDG_RUNTIME_DIR: world.home };
    try {
      const { stdout } = await runNono(world, ['why', '--op', 'connect', bus, '--allow-cwd'], { environment });
      const way = / {2}To allow it: (?<way>.*)/.exec(stdout)?.groups?.['way'] ?? '';
      const words = ['why', '--op', 'connect', bus, '--allow-cwd', ...way.split(' ')];
      const taken = await runNono(world, words, { environment });

      expect(stdout).toContain("; it is a socket that commands the user's session");
      expect(way).toContain('--override-deny ');
      expect(taken.stdout).toContain('allowed: the socket grant');
    } finally {
      server.close();
    }
  });

  test.for([
    { words: [], message: 'Cannot tell why without PATH' },
    { words: ['x', '--op', 'execute'], message: 'Cannot use --op "execute": expected read, write, readwrite, connect' },
    { words: ['x', '--allow', 'nowhere'], message: 'Cannot use --allow "nowhere": it does not exist' },
    { words: ['x', '--profile', 'nobody'], message: 'Cannot use the profile "nobody": there is no profile "nobody"' },
  ])('refuses $words', async ({ words, message }) => {
    using world = createWorld();

    const { stdout, stderr, status } = await runNono(world, ['why', ...words]);

    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(status).not.toBe(0);
  });
});
