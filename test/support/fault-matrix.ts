import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { makeTree } from './small-tree.ts';
import { dumpTree } from './tree.ts';
import { createWorld, type World } from './world.ts';

/** What a system call is made to answer, or to be the last one of its process. */
export interface Fault {
  readonly call: string;
  /** A name of errno, or `KILL`. */
  readonly answer: string;
  /** The how manieth of all processes together is hit. */
  readonly turn: number;
}

/** What the kernel may answer to the calls of files, sockets and processes that nono makes. What memory and threads answer is for the runtime. */
export const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  openat: ['ENOSPC', 'EIO', 'EMFILE', 'ENOMEM'],
  // Kills alone: most of these are of pipes and of the runtime's own descriptors, which never answer what a disk does. A disk that is
  // full, or fails, is that of e2e/rollback-disk.test.ts and of laws/errors.test.ts.
  read: [],
  write: [],
  getdents64: ['EIO', 'ENOMEM'],
  fsync: ['EIO', 'ENOSPC', 'EINTR'],
  syncfs: ['EIO', 'ENOSPC'],
  renameat2: ['ENOSPC', 'EIO', 'ENOMEM'],
  linkat: ['ENOSPC', 'EIO', 'EMLINK'],
  mkdirat: ['ENOSPC', 'EIO'],
  unlinkat: ['EIO', 'ENOMEM'],
  ftruncate: ['EIO', 'EINTR'],
  fchmod: ['EIO'],
  utimensat: ['EIO'],
  flock: ['ENOLCK', 'EINTR', 'ENOMEM'],
  socket: ['EMFILE', 'ENOMEM'],
  socketpair: ['EMFILE', 'ENOMEM'],
  bind: ['ENOSPC', 'EIO', 'ENOMEM'],
  listen: ['ENOMEM'],
  pipe2: ['EMFILE', 'ENOMEM'],
  memfd_create: ['EMFILE', 'ENOMEM'],
  clone: ['EAGAIN', 'ENOMEM'],
  execve: ['ENOMEM', 'EIO', 'EMFILE'],
  landlock_create_ruleset: ['EMFILE', 'ENOMEM'],
  landlock_add_rule: ['ENOMEM'],
  seccomp: ['ENOMEM', 'EMFILE'],
};

/** What is done, in words; before it a session has changed the project, and one without a rollback has ended. */
export const SCENARIOS: Readonly<Record<string, readonly string[]>> = {
  run: ['run', '--allow-cwd', '--', 'true'],
  'run and snapshots': ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo more >a'],
  'detached start': ['run', '--detached', '--allow-cwd', '--', 'true'],
  restore: ['rollback', 'restore', 'latest'],
  cleanup: ['rollback', 'cleanup', '--keep', '0'],
  prune: ['prune'],
};

/** `done`: it was hit and made nothing of it; `said`: it failed in words; `killed`; `runtime`: Bun gave up; `missed`: it was over before. */
export type Result = 'done' | 'said' | 'killed' | 'runtime' | 'missed';

export interface Tried {
  readonly result: Result;
  /** What must not be, in words. */
  readonly wrong: readonly string[];
}

const EDITS = 'echo changed >a; rm -r gone; mkdir new; echo n >new/f; chmod 600 sub/b';

/** Lets a scenario meet one fault, and looks at what became of everything. */
export function tryFault(place: string, words: readonly string[], { call, answer, turn }: Fault): Tried {
  using world = createWorld({ place });
  makeTree(world.project);
  const base = dumpTree(world.project);
  call_(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS]);
  call_(world, ['run', '--allow-cwd', '--', 'true']);
  const left = dumpTree(world.project);
  const trace = join(world.directory, 'trace');
  const inject = answer === 'KILL' ? `inject=${call}:signal=KILL:when=${turn}` : `inject=${call}:error=${answer}:when=${turn}`;
  const { status, signal, text } = call_(world, words, ['strace', '-f', '-o', trace, '-e', `trace=${call}`, '-e', inject]);
  const isHit = /\(INJECTED\)|\+\+\+ killed by SIGKILL/.test(fs.readFileSync(trace, 'latin1'));
  fs.rmSync(trace);
  if (!isHit) return { result: 'missed', wrong: [] };
  const wrong = whatIsWrong(world, { words, base, left });
  const isRuntime = /^(?:panic|error: |thread \d+ panic)|Bun v\d|oh no: Bun has crashed/m.test(text);
  if (/Internal error/.test(text)) wrong.push(`a bug's stack: ${text}`);
  if (status === 0) return { result: 'done', wrong };
  if (answer === 'KILL' || signal !== null || status === 137) return { result: isRuntime ? 'runtime' : 'killed', wrong };
  if (text.trim() === '') wrong.push(`status ${status} without a word`);
  return { result: isRuntime ? 'runtime' : 'said', wrong };
}

/** All can be listed and verified, the next commands do what they say, and nobody's file has changed but by the session or its restore. */
function whatIsWrong(
  world: World,
  {
    words,
    base,
    left,
  }: { readonly words: readonly string[]; readonly base: readonly string[]; readonly left: readonly string[] },
): string[] {
  const wrong: string[] = [];
  const must = (next: readonly string[], isGood: (called: Called) => boolean) => {
    const called = call_(world, next);
    if (!isGood(called)) wrong.push(`nono ${next.join(' ')}: ${called.status} ${called.text}`);
  };
  const succeeds = ({ status }: Called) => status === 0;
  call_(world, ['stop', '--force', 'latest']);
  must(['ps', '--all', '--json'], succeeds);
  must(['audit', 'verify', '--all'], ({ text }) => !text.includes('broken'));
  must(['rollback', 'verify', '--all'], succeeds);
  const isRestore = words[1] === 'restore';
  if (isRestore) {
    must(['rollback', 'restore', 'latest'], succeeds);
    if (!isSame(withoutDirectoryTimes(dumpTree(world.project)), withoutDirectoryTimes(base)))
      wrong.push('the restore was not completed');
  } else if (words.includes('--rollback')) {
    const now = dumpTree(world.project).filter((line) => !/^\.\/(?:a|sub\/hard) |^\. /.test(line));
    if (!now.every((line) => left.includes(line))) wrong.push('the project has changed');
  } else if (!isSame(dumpTree(world.project), left)) wrong.push('the project has changed');
  must(['rollback', 'cleanup', '--keep', '0'], succeeds);
  must(['prune'], succeeds);
  const stay = fs.readdirSync(join(world.state, 'sessions'));
  if (stay.length > 0) wrong.push(`what stays: ${stay.join(' ')}`);
  must(['run', '--rollback', '--allow-cwd', '--name', 'again', '--', 'true'], succeeds);
  return wrong;
}

/** The time of a directory in which only a hard link is put back is not in the journal: after an interruption it stays that of the restore. */
function withoutDirectoryTimes(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/ (directory \d+) mtime=\d+/, ' $1'));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join('\n') === b.join('\n');
}

interface Called {
  readonly status: number | null;
  readonly signal: string | null;
  readonly text: string;
}

function call_(world: World, words: readonly string[], before: readonly string[] = []): Called {
  const [file = '', ...rest] = [...before, world.executable, ...words];
  const { status, signal, stdout, stderr } = spawnSync(file, rest, {
    cwd: world.project,
    env: { ...world.environment },
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { status, signal, text: `${stdout}${stderr}` };
}
