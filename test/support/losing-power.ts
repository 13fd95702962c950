import * as fs from 'node:fs';
import { join } from 'node:path';
import { lookAfterwards } from './aftermath.ts';
import { type Outcome, runNono, runProgram } from './nono.ts';
import { type Loss, ModelDisk, type Remains } from './power-loss.ts';
import { makeTree } from './small-tree.ts';
import { dumpTree } from './tree.ts';
import type { World } from './world.ts';

/** All that changes files or makes them safe; whatever of it the model does not know it refuses. */
const CALLS =
  'open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,rename,renameat,renameat2,link,linkat,unlink,' +
  'unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,mknodat,fsync,fdatasync,syncfs,sync,copy_file_range,fallocate,fchmod,chmod,fchmodat,' +
  'utimensat,fchown,fchownat';
const STRING_BYTES_MAXIMUM = 1_000_000;
const EDITS = 'echo changed >a; rm -r gone; mkdir new; echo n >new/f; echo "#!" >sub/deep/c';
const RUN = ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS] as const;

/** What is going on when the power fails. */
export const UNDER_WAY: Readonly<
  Record<string, { readonly before: readonly (readonly string[])[]; readonly words: readonly string[] }>
> = {
  'run and snapshots': { before: [], words: RUN },
  restore: { before: [RUN], words: ['rollback', 'restore', 'latest'] },
  cleanup: { before: [RUN, [...RUN.slice(0, -1), 'echo 2 >a']], words: ['rollback', 'cleanup', '--keep', '0'] },
  prune: { before: [['run', '--allow-cwd', '--', 'true']], words: ['prune'] },
};

/** What was written down of one command, in a world that the power can fail in at any of its steps. */
export interface Recording {
  readonly name: string;
  readonly base: readonly string[];
  /** The project as it was when the command began. */
  readonly begun: readonly string[];
  readonly present: readonly Remains[];
  readonly lines: readonly string[];
  /** After so many of the lines something was different. */
  readonly moments: readonly number[];
}

/** Runs a scenario once under strace. */
export async function record(world: World, name: string): Promise<Recording> {
  const { before, words } = UNDER_WAY[name] ?? { before: [], words: [] };
  makeTree(world.project);
  const base = dumpTree(world.project);
  for (const call of before) await must(world, call);
  const present = rootsOf(world).flatMap((root) => readAll(root));
  const begun = dumpTree(world.project);
  const trace = join(world.directory, 'trace');
  const strace = ['strace', '-f', '-y', '-xx', '-s', String(STRING_BYTES_MAXIMUM), '-o', trace, '-e', `trace=${CALLS}`] as const;
  const { status, stderr } = await runProgram(world, [...strace, world.executable, ...words]);
  if (status !== 0) throw new Error(`nono ${words.join(' ')}: ${status} ${stderr}`);
  const lines = fs.readFileSync(trace, 'latin1').split('\n');
  fs.rmSync(trace);
  const disk = new ModelDisk(rootsOf(world), present);
  const moments = lines.flatMap((line, index) => (disk.apply(line) ? [index + 1] : []));
  expectSame(disk.remains('empty'), rootsOf(world));
  return { name, base, begun, present, lines, moments };
}

/** The model is worth something only when it agrees with the disk at the end. */
function expectSame(remains: readonly Remains[], roots: readonly string[]): void {
  const names = (all: readonly Remains[]) => all.map(({ path, kind }) => `${kind} ${path}`).toSorted();
  const [modelled, real] = [names(remains), names(roots.flatMap((root) => readAll(root)))];
  const differ = [...modelled.filter((one) => !real.includes(one)), ...real.filter((one) => !modelled.includes(one))];
  if (differ.length > 0) throw new Error(`The model and the disk differ: ${differ.join(', ')}`);
}

function rootsOf({ home, project }: World): readonly string[] {
  return [home, project];
}

function readAll(path: string): readonly Remains[] {
  const stat = fs.lstatSync(path, { bigint: true });
  const modified = `${stat.mtimeNs / 1_000_000_000n}.${String(stat.mtimeNs % 1_000_000_000n).padStart(9, '0')}`;
  const common = { path, mode: Number(stat.mode & 0o7777n), modified };
  if (stat.isSymbolicLink()) return [{ ...common, kind: 'link', data: Buffer.from(fs.readlinkSync(path)) }];
  if (stat.isFile()) return [{ ...common, kind: 'file', data: fs.readFileSync(path) }];
  const below = fs.readdirSync(path).flatMap((name) => readAll(join(path, name)));
  return [{ ...common, kind: 'directory', data: Buffer.alloc(0) }, ...below];
}

/** Lets the power fail at a moment, and nono look at what is left. @returns what is wrong, in words. */
export async function losePower(world: World, recording: Recording, moment: number, loss: Loss): Promise<readonly string[]> {
  const disk = new ModelDisk(rootsOf(world), recording.present);
  for (const line of recording.lines.slice(0, moment)) disk.apply(line);
  await layOut(world, disk.remains(loss));
  const found = dumpTree(world.project);
  const wrong: string[] = [];
  const { stdout, status, stderr } = await runNono(world, ['rollback', 'list', '--all', '--json']);
  if (status !== 0) return [`rollback list: ${status} ${stderr}`];
  const listed = JSON.parse(stdout) as readonly { readonly session_id: string; readonly kind?: string }[];
  wrong.push(
    ...(await lookAfterwards(world, async () => {
      if (recording.name === 'run and snapshots') return await afterRun(world, recording, found, listed[0]?.session_id);
      if (recording.name === 'restore') return await afterRestore(world, recording);
      return isSame(found, dumpTree(world.project)) ? [] : ['the project has changed'];
    })),
  );
  // The one that the next command has made is listed; what was never listed goes when it is old.
  const place = join(world.state, 'rollbacks');
  const stay = fs.readdirSync(place).filter((name) => fs.existsSync(join(place, name, 'manifest.json')));
  if (stay.length > 1) wrong.push(`what stays in rollbacks: ${stay.join(' ')}`);
  return wrong;
}

/** The baseline is on the disk before the command can change anything. */
async function afterRun(
  world: World,
  { base }: Recording,
  found: readonly string[],
  id: string | undefined,
): Promise<readonly string[]> {
  if (id === undefined) return isSame(found, base) ? [] : ['the command ran, and no session is listed'];
  // What the loss has torn nobody can tell from what somebody did: that is what --force is for.
  const { status, stdout, stderr } = await runNono(world, ['rollback', 'restore', '--force', id]);
  if (status !== 0) return [`restore: ${status} ${stdout}${stderr}`];
  return differences(world, base, 'the restore is not whole');
}

async function afterRestore(world: World, { base }: Recording): Promise<readonly string[]> {
  const { status, stdout, stderr } = await runNono(world, ['rollback', 'restore', 'latest']);
  if (status !== 0) return [`restored again: ${status} ${stdout}${stderr}`];
  return differences(world, base, 'the restore was not completed');
}

function differences(world: World, base: readonly string[], what: string): readonly string[] {
  const comparable = (lines: readonly string[]) => lines.map((line) => line.replace(/ (directory \d+) mtime=\d+/, ' $1'));
  const [was, is] = [comparable(base), comparable(dumpTree(world.project))];
  return isSame(was, is) ? [] : [`${what}: ${is.filter((line) => !was.includes(line)).join('; ')}`];
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join('\n') === b.join('\n');
}

/** As the disk is when the machine has started again. */
async function layOut(world: World, remains: readonly Remains[]): Promise<void> {
  for (const root of rootsOf(world)) {
    for (const name of fs.readdirSync(root)) fs.rmSync(join(root, name), { recursive: true });
  }
  for (const { path, kind, data, mode } of remains) {
    if (kind === 'directory') fs.mkdirSync(path, { recursive: true, mode });
    else if (kind === 'link') fs.symlinkSync(data.toString(), path);
    else fs.writeFileSync(path, afterStart(path, data), { mode });
    if (kind !== 'link') fs.chmodSync(path, mode);
  }
  const dated = remains.filter(({ modified, path }) => modified !== undefined && isOfProject(world, path));
  // touch(1) knows nanoseconds, and a directory has its time when its entries are there.
  const words = dated.toReversed().flatMap(({ path, modified }) => [`@${modified}`, path]);
  await runProgram(world, ['sh', '-c', 'while [ $# -gt 1 ]; do touch -h -d "$1" "$2"; shift 2; done', 'sh', ...words]);
}

/** What nono has of its own says by its time when it was alive last: just before. */
function isOfProject({ project }: World, path: string): boolean {
  return path === project || path.startsWith(`${project}/`);
}

/** A machine that starts again has another number for that. */
function afterStart(path: string, data: Buffer): Buffer {
  if (!/\/sessions\/[0-9a-f]{6}\.json$/.test(path)) return data;
  const text = data.toString('latin1').replace(/("boot_id": ")[0-9a-f]/, (_, before: string) => `${before}x`);
  return Buffer.from(text, 'latin1');
}

async function must(world: World, words: readonly string[]): Promise<Outcome> {
  const outcome = await runNono(world, words);
  if (outcome.status !== 0) throw new Error(`nono ${words.join(' ')}: ${outcome.status} ${outcome.stderr}`);
  return outcome;
}
