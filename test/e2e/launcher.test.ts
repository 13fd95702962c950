import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { encodeLaunch, LAUNCHER_ROLE } from '../../src/sandbox/launch.ts';
import { encodeFilter } from '../../src/sandbox/linux/assemble-filters.ts';
import { CODE, type Instruction } from '../../src/sandbox/linux/bpf.ts';
import { encodeLandlock } from '../../src/sandbox/linux/landlock.ts';
import { encodeSeccomp } from '../../src/sandbox/linux/seccomp.ts';
import { RETURN } from '../../src/sandbox/linux/seccomp-uapi.ts';
import { type Access, type PathRule, READ, READ_WRITE } from '../../src/sandbox/plan.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const DEVICE = '/dev/urandom';

/** What of an older kernel is simulated: the rules that Landlock gets, and the filter. */
interface Kernel {
  readonly landlockAbi: number;
  readonly filter: readonly Instruction[];
}

const network = { mode: 'allowed' } as const;

/** The filter of a kernel with that Landlock. */
function filterFor(abi: number): readonly Instruction[] {
  return encodeSeccomp({ network, architecture: process.arch === 'arm64' ? 'arm64' : 'x64', abi, mediator: 'outer' });
}

/** Runs `script` as on that kernel. @returns what it printed, or what the launcher answered. */
async function launch(world: World, { landlockAbi, filter }: Kernel, script: string): Promise<string> {
  const rule = (path: string, access: Access, isDirectory = true): PathRule => ({
    path: bytesFromText(realpathSync(path)),
    isDirectory,
    access,
    origin: 'grant',
  });
  const rules = [
    ...['/usr', '/lib', '/etc', '/proc', join(world.directory, 'data')].map((path) => rule(path, READ)),
    rule(world.project, READ_WRITE),
    rule(DEVICE, READ, false),
  ];
  const message = encodeLaunch({
    supervisorPid: process.pid,
    landlock: encodeLandlock({ rules, network }, landlockAbi),
    filter: encodeFilter(filter),
    mediation: null,
    capabilities: 0,
    workingDirectory: bytesFromText(world.project),
    executables: [bytesFromText(PYTHON)],
    command: [PYTHON, '-c', script].map(bytesFromText),
    environment: ['PATH=/usr/bin' as Bytes],
    signals: { ignored: [], blocked: [] },
  });
  const child = spawn(world.executable, [LAUNCHER_ROLE], { cwd: world.project, stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => output.push(piece));
  const channel = child.stdio[3] as Duplex;
  channel.on('data', (piece: Buffer) => output.push(piece));
  channel.end(message);
  await once(child, 'close');
  return Buffer.concat(output).toString('utf8').trim();
}

function createTarget(): World {
  const world = createWorld();
  mkdirSync(join(world.directory, 'data'));
  writeFileSync(join(world.directory, 'data/file'), 'untouched');
  return world;
}

/** A call that prints the name of its errno, or "ok". */
const attempt = (call: string): string => `
import os, errno, fcntl
try:
  ${call}
  print("ok")
except OSError as e:
  print(errno.errorcode[e.errno])
`;

const TRUNCATIONS = [
  { way: 'its path', call: 'os.truncate("../data/file", 0)' },
  { way: 'opening it to read', call: 'os.open("../data/file", os.O_RDONLY | os.O_TRUNC)' },
  { way: 'opening it for nothing', call: 'os.open("../data/file", 3 | os.O_TRUNC)' },
];

describe.for([1, 2])('with Landlock ABI %i', (abi) => {
  test.for(TRUNCATIONS)('a file that may only be read is not truncated by $way', async ({ call }, context) => {
    needCommands(context, PYTHON);
    using world = createTarget();
    const file = join(world.directory, 'data/file');

    expect(await launch(world, { landlockAbi: abi, filter: filterFor(abi) }, attempt(call))).toBe('EACCES');
    expect(readFileSync(file, 'utf8')).toBe('untouched');

    // The filter did it: under one that lets all pass nothing is in the way.
    await launch(world, { landlockAbi: abi, filter: [[CODE.return, 0, 0, RETURN.allow]] }, attempt(call));
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test('a file that may be written is truncated by opening it, and by its descriptor', async (context) => {
    needCommands(context, PYTHON);
    using world = createTarget();
    const script = attempt('open("own", "w").write("12345"); open("own", "r+").truncate(2); print(open("own").read())');

    expect(await launch(world, { landlockAbi: abi, filter: filterFor(abi) }, script)).toBe('12\nok');
  });
});

describe.for([1, 4])('with Landlock ABI %i', (abi) => {
  test('a device that may only be read takes no commands of its kind', async (context) => {
    needCommands(context, PYTHON);
    using world = createTarget();
    // RNDZAPENTCNT of include/uapi/linux/random.h: EPERM says that the device got it.
    const script = attempt(`fcntl.ioctl(os.open("${DEVICE}", os.O_RDONLY), 0x5204)`);

    expect(await launch(world, { landlockAbi: abi, filter: filterFor(abi) }, script)).toBe('ENOTTY');
    expect(await launch(world, { landlockAbi: abi, filter: filterFor(7) }, script)).toBe('EPERM');
  });
});

describe.for([1, 2, 3, 4, 5, 6, 7])('with Landlock ABI %i', (abi) => {
  test('programs work', async (context) => {
    needCommands(context, PYTHON);
    using world = createTarget();
    const script = attempt(
      'import subprocess, threading; t = threading.Thread(target=subprocess.run, args=(["true"],)); t.start(); t.join(); os.rename(__import__("tempfile").mkstemp(dir=".")[1], "done")',
    );

    expect(await launch(world, { landlockAbi: abi, filter: filterFor(abi) }, script)).toBe('ok');
  });
});

test('a filter that the kernel refuses ends the launch before the command has run', async (context) => {
  needCommands(context, PYTHON);
  using world = createTarget();

  const endless: Instruction = [CODE.load, 0, 0, 0];

  const answer = await launch(world, { landlockAbi: 7, filter: [endless] }, 'print("it ran")');

  expect(JSON.parse(answer)).toEqual({ step: 'filter', errno: 'EINVAL' });
});
