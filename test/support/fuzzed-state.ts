import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Outcome, runNono, runProgram } from './nono.ts';
import { writeProject } from './rollback.ts';
import { untilStatus } from './sessions.ts';
import { dumpTree } from './tree.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from './world.ts';

/** A state directory with something of everything, which is damaged again and again. */
export interface FuzzedState extends Disposable {
  readonly world: World;
  /** Files of the state and of the configuration, relative to the home; what programs planted in the project, as absolute paths. */
  readonly files: readonly string[];
  /** Two that have ended, the second with a terminal. */
  readonly sessions: readonly [string, string];
  /** The rollback session of the second, that of a restore of it, and that of one that was interrupted. */
  readonly rollbacks: readonly [string, string, string];
  /** As it all was. */
  reset(): void;
  /** Changes one of the files; where `isSealed` with the seals and digests that its writer would have given it. */
  write(path: string, change: (data: Buffer) => Buffer, isSealed: boolean): void;
  /** False where a changed state names other places of this machine as what was tracked: those are for looking only. */
  tracksOnlyProject(): boolean;
  /** What a reader must not touch: everything beside the state. */
  outside(): readonly string[];
}

const PROFILE = `description = "Mine"
extends = ["default"]

[filesystem]
read = ["~/notes", "/usr/share"]
create_file = { "~/.made" = "{}" }

[environment]
allow_vars = ["MY_*"]
set_vars = { A = "1", B = '''
two''' }

[network]
block = "loopback"
`;
const EDIT = `
printf '\\033]0;title\\007\\033[31mred\\033[0m tab\\tend\\n'
printf 'changed\\n' >a; rm gone; mkdir -p new; printf 'n\\n' >new/f; chmod 600 b; ln -sfn /usr/share link
printf '{"scripts":{"postinstall":"echo"}}\\n' >package.json
git config core.hooksPath hooks`;

/**
 * Everything is done as an ordinary user where that is possible: what nono makes of a damaged state must not be able to harm the
 * machine that it is tried on.
 *
 * @param place The directory that it is made in.
 */
export async function createFuzzedState(place: string): Promise<FuzzedState> {
  const world = createWorld({ place, ordinaryUser: canBecomeOrdinaryUser() });
  const template = join(world.directory, 'template');
  await fillProject(world);
  await needed(world, ['run', '--allow-cwd', '--name', 'plain', '--', 'sh', '-c', ':']);
  const [plain = ''] = sessionsOf(world);
  await needed(world, ['run', '--detached', '--rollback', '--allow-cwd', '--name', 'second', '--', 'sh', '-c', EDIT]);
  const second = sessionsOf(world).find((id) => id !== plain) ?? '';
  await untilStatus(world, second, 'exited');
  const [run = ''] = rollbacksOf(world);
  await needed(world, ['rollback', 'restore', run]);
  const safety = rollbacksOf(world).find((id) => id !== run) ?? '';
  await needed(world, ['rollback', 'restore', safety]);
  const later = rollbacksOf(world).find((id) => id !== run && id !== safety) ?? '';
  interrupt(join(world.state, 'rollbacks', later));
  fs.mkdirSync(template);
  for (const name of ['home', 'project']) copy(join(world.directory, name), join(template, name));
  return {
    world,
    files: filesBelow(template),
    sessions: [plain, second],
    rollbacks: [run, safety, later],
    reset() {
      for (const name of ['home', 'project']) {
        fs.rmSync(join(world.directory, name), { recursive: true, force: true });
        copy(join(template, name), join(world.directory, name));
      }
    },
    write: (path, change, isSealed) => write(world, path, change, isSealed),
    tracksOnlyProject: () => rollbacksOf(world).every((id) => tracksOnly(join(world.state, 'rollbacks', id), world.project)),
    outside: () => [world.home, world.project].flatMap((directory) => dumpTree(directory, { leaveOut: ['.nono'] })),
    [Symbol.dispose]: () => world[Symbol.dispose](),
  };
}

async function fillProject(world: World): Promise<void> {
  writeProject(world, { a: 'one\ntwo\n', b: 'b\n', gone: 'gone\n', '.gitignore': 'ignored/\n*.o\n' });
  for (const words of [
    ['init', '-q'],
    ['add', '-A'],
  ])
    await runProgram(world, ['git', ...words]);
  await needed(world, ['config', 'init']);
  const profiles = join(world.home, '.config/nono/profiles');
  await runProgram(world, ['mkdir', '-p', profiles]);
  await runProgram(world, ['tee', join(profiles, 'mine.toml')], { input: PROFILE });
  await runProgram(world, ['tee', join(world.home, 'notes')], { input: 'not to be touched\n' });
}

/**
 * Changes one file. The state comes from links that a program has made, too: nothing is written but a regular file of the
 * world itself.
 *
 * @param isSealed Whether what is changed looks as if nono had written it.
 */
function write(world: World, path: string, change: (data: Buffer) => Buffer, isSealed: boolean): void {
  const absolute = join(world.directory, path);
  if (fs.realpathSync(absolute) !== absolute || !fs.lstatSync(absolute).isFile())
    throw new Error(`"${absolute}" is no file of the world: nothing else is ever written`);
  const changed = change(fs.readFileSync(absolute));
  fs.chmodSync(absolute, 0o600);
  fs.writeFileSync(absolute, isSealed && path.endsWith('/manifest.json') ? reseal(changed) : changed);
  const session = /^(?<session>.*\/rollbacks\/[^/]+)\/snapshots\/\d\/nodes$/.exec(path)?.groups?.['session'];
  if (isSealed && session !== undefined) resealNodes(join(world.directory, session));
}

async function needed(world: World, words: readonly string[]): Promise<Outcome> {
  const outcome = await runNono(world, words);
  if (outcome.status !== 0) throw new Error(`nono ${words.join(' ')}: ${outcome.status} ${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

function sessionsOf(world: World): readonly string[] {
  const names = fs.readdirSync(join(world.state, 'sessions'));
  return names.flatMap((name) => /^(?<id>[0-9a-f]{6})\.json$/.exec(name)?.groups?.['id'] ?? []);
}

function rollbacksOf(world: World): readonly string[] {
  return fs.readdirSync(join(world.state, 'rollbacks')).toSorted();
}

/** As cp does it: with modes, times and links. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** Regular files, relative to the directory. No link is followed: behind one are the files of this machine. */
function filesBelow(directory: string, below = ''): readonly string[] {
  const entries = fs.readdirSync(join(directory, below), { withFileTypes: true });
  const paths = entries.flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return filesBelow(directory, path);
    return entry.isFile() ? [path] : [];
  });
  return paths.toSorted();
}

/** Gives a manifest the seal of what it says: what its writer could have written. */
function reseal(manifest: Buffer): Buffer {
  try {
    const { seal: _, ...rest } = JSON.parse(manifest.toString('utf8')) as Record<string, unknown>;
    const seal = sha256(JSON.stringify(rest));
    return Buffer.from(`${JSON.stringify({ ...rest, seal }, undefined, 1)}\n`);
  } catch (error) {
    // No JSON, or too deep to be written again.
    if (error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError) return manifest;
    throw error;
  }
}

/** Gives the manifest of a session the digests of the nodes that are there now. */
function resealNodes(session: string): void {
  const path = join(session, 'manifest.json');
  const document = JSON.parse(fs.readFileSync(path, 'utf8')) as { snapshots: { number: number; nodes_sha256: string }[] };
  for (const snapshot of document.snapshots)
    snapshot.nodes_sha256 = sha256(fs.readFileSync(join(session, 'snapshots', String(snapshot.number), 'nodes')));
  fs.writeFileSync(path, reseal(Buffer.from(JSON.stringify(document))));
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Whether nothing in the session, where it can be read, leads to another place than `root`. */
function tracksOnly(session: string, root: string): boolean {
  const manifest = fs.readFileSync(join(session, 'manifest.json'), 'latin1');
  const paths = [...manifest.matchAll(/"path": (?<path>"[^"]*"|\{)/g)].map((match) => match.groups?.['path']);
  const snapshots = fs.readdirSync(join(session, 'snapshots')).map((number) => join(session, 'snapshots', number, 'nodes'));
  return (
    paths.length === 1 && paths[0] === JSON.stringify(root) && snapshots.every((nodes) => fs.readFileSync(nodes).includes(root))
  );
}

/** As a restore leaves its session that is killed before the end. */
function interrupt(session: string): void {
  const path = join(session, 'manifest.json');
  const document = JSON.parse(fs.readFileSync(path, 'utf8')) as { snapshots: unknown[] };
  const open = { ...document, status: 'open', ended_ms: null, counts: null, snapshots: document.snapshots.slice(0, 1) };
  fs.writeFileSync(path, reseal(Buffer.from(JSON.stringify(open))));
  fs.rmSync(join(session, 'snapshots', '1'), { recursive: true });
}
