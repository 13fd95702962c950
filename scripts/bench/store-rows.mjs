import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sessionParts } from './engine-rows.mjs';
import { BenchFailure, interleave, median, timeCommand } from './measure.mjs';
import { makeTree } from './tree.mjs';

/**
 * Other tools that keep what a tree held. What each of them does by default is measured: restic encrypts and compresses, borg
 * compresses, git compresses and reads through its index.
 */
const STORES = [
  {
    command: 'git',
    installed: 'apt-get install git',
    begin: (repository, tree) => [['git', 'init', '-q', '--bare', repository], gitWords(repository, tree, 'add', '-A')],
    keep: (repository, tree) => gitWords(repository, tree, 'add', '-A'),
    bringBack: (repository, tree) => gitWords(repository, tree, 'checkout-index', '-a', '-f'),
  },
  {
    command: 'restic',
    installed: 'apt-get install restic',
    begin: (repository) => [['restic', '-q', '-r', repository, 'init']],
    keep: (repository) => ['restic', '-q', '-r', repository, 'backup', '.'],
    // What was kept as "." is at the root of its snapshot.
    bringBack: (repository, tree) => ['restic', '-q', '-r', repository, 'restore', 'latest', '--target', tree],
  },
  {
    command: 'borg',
    installed: 'apt-get install borgbackup',
    begin: (repository) => [['borg', 'init', '-e', 'none', repository]],
    keep: (repository, _tree, number) => ['borg', 'create', `${repository}::${number}`, '.'],
    bringBack: (repository, _tree, number) => ['borg', 'extract', `${repository}::${number}`],
  },
];

/** Rows beside other stores, and on a disk that is busy. No budget: what they show is reported. */
export const STORE_ROWS = [
  ...STORES.map((store) => storeRow(store, 'cold baseline', `${store.command}, first time`, measureCold)),
  ...STORES.map((store) => storeRow(store, 'warm baseline', `${store.command}, unchanged`, measureWarm)),
  ...STORES.map((store) => storeRow(store, 'restore of the whole tree', store.command, measureRestore)),
  ext4Row('cold baseline on a busy ext4', 'cp -a', 'cp', measureColdOnDisk),
  ext4Row('warm baseline on a busy ext4', 'git status', 'git', measureWarmOnDisk),
];

function storeRow(store, name, peer, measure) {
  const { command, installed } = store;
  return {
    name: `${name}, beside ${command}`,
    peer,
    command,
    installed,
    budget: undefined,
    measure: (bench) => measure(withSecrets(bench), store),
  };
}

function gitWords(repository, tree, ...words) {
  return ['git', `--git-dir=${repository}`, `--work-tree=${tree}`, ...words];
}

/** restic refuses to keep anything without a password. */
function withSecrets(bench) {
  const environment = { ...bench.place.environment, RESTIC_PASSWORD: 'bench', BORG_BASE_DIR: join(bench.scratch, 'borg-home') };
  return { ...bench, place: { ...bench.place, cwd: bench.tree, environment }, empty: bench.place.cwd };
}

/** A repository that holds nothing, or all of the tree. */
function makeRepository({ scratch, tree, place }, { begin, keep }, { isFilled }) {
  const repository = join(scratch, 'repository');
  rmSync(repository, { recursive: true, force: true });
  const [create] = begin(repository, tree);
  timeCommand(create, place);
  if (isFilled) timeCommand(keep(repository, tree, 'first'), place);
  return repository;
}

function dropRepository({ scratch }) {
  for (const name of ['repository', 'borg-home']) rmSync(join(scratch, name), { recursive: true, force: true });
}

function measureCold(bench, store) {
  const own = () => {
    rmSync(bench.state, { recursive: true, force: true });
    return sessionParts(bench, bench.tree).beforeMs - sessionParts(bench, bench.empty).beforeMs;
  };
  const peer = () => {
    const repository = makeRepository(bench, store, { isFilled: false });
    return timeCommand(store.keep(repository, bench.tree, 'one'), bench.place).tookMs;
  };
  return measureBoth(bench, own, peer);
}

function measureWarm(bench, store) {
  rmSync(bench.state, { recursive: true, force: true });
  sessionParts(bench, bench.tree);
  const repository = bench.hasPeer ? makeRepository(bench, store, { isFilled: true }) : undefined;
  let number = 0;
  const own = () => sessionParts(bench, bench.tree).beforeMs - sessionParts(bench, bench.empty).beforeMs;
  const peer = () => timeCommand(store.keep(repository, bench.tree, `again-${number++}`), bench.place).tookMs;
  return measureBoth(bench, own, peer);
}

/** Everything is deleted and comes back; what nono adds is the session that undoes the restore. */
function measureRestore(bench, store) {
  const { nono, place } = bench;
  const repository = bench.hasPeer ? makeRepository(bench, store, { isFilled: true }) : undefined;
  const empty = () => timeCommand(['find', '.', '-mindepth', '1', '-delete'], place);
  const files = bench.paths.map((path) => join(bench.tree, path)).filter((path) => existsSync(path));
  const own = () => {
    rmSync(bench.state, { recursive: true, force: true });
    timeCommand([nono, 'run', '--rollback', '--allow-cwd', '--', 'find', '.', '-mindepth', '1', '-delete'], place);
    return timeReturn(place, files, [nono, 'rollback', 'restore', 'latest']);
  };
  const peer = () => {
    empty();
    return timeReturn(place, files, store.bringBack(repository, bench.tree, 'first'));
  };
  return measureBoth(bench, own, peer);
}

/** Milliseconds until all is back. */
function timeReturn(place, files, words) {
  const { tookMs } = timeCommand(words, place);
  const missing = files.find((path) => !existsSync(path));
  if (missing !== undefined) throw new BenchFailure(`${words.slice(0, 2).join(' ')} … did not bring ${missing} back`);
  return tookMs;
}

function measureBoth(bench, own, peer) {
  try {
    return interleave({ runs: Math.min(3, bench.treeRuns), own, peer: bench.hasPeer ? peer : undefined });
  } finally {
    dropRepository(bench);
  }
}

const IMAGE_BYTES = 12 * 1024 ** 3;
const WRITTEN_BYTES = 2 * 1024 ** 3;
const PAUSED_EXIT = 64;

function ext4Row(name, peer, command, measure) {
  return { name, peer, command, budget: undefined, needsTree: false, measure: (bench) => onExt4(bench, measure) };
}

/** Mounts a file system in a file, which only root can, and has somebody write to it. */
function onExt4(bench, measure) {
  if (process.getuid() !== 0) throw new BenchFailure('mounting a loop file needs root');
  // Not in the scratch directory: that one is memory.
  const scratch = mkdtempSync(join(tmpdir(), 'nono-bench-ext4-'));
  const image = join(scratch, 'image');
  const mounted = join(scratch, 'mounted');
  const { place } = bench;
  mkdirSync(mounted);
  try {
    timeCommand(['truncate', '-s', String(IMAGE_BYTES), image], place);
    timeCommand(['mkfs.ext4', '-q', image], place);
    timeCommand(['mount', '-o', 'loop', image, mounted], place);
    try {
      return measure(placeOn(bench, mounted));
    } finally {
      timeCommand(['umount', mounted], place);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function placeOn(bench, mounted) {
  const [home, tree, empty] = ['home', 'tree', 'empty'].map((name) => join(mounted, name));
  for (const directory of [home, tree, empty]) mkdirSync(directory);
  makeTree(tree);
  timeCommand(['sync'], bench.place);
  const place = { cwd: empty, environment: { ...bench.place.environment, HOME: home } };
  return { ...bench, tree, empty, place, state: join(home, '.nono'), mounted };
}

/** Runs `work` while 2 GB are written beside it, again and again. */
function whileWriting({ mounted, place }, work) {
  const target = join(mounted, 'written');
  const megabytes = WRITTEN_BYTES / 1024 ** 2;
  const script = `while [ ! -e "$1.stop" ]; do dd if=/dev/zero of="$1" bs=1M count=${megabytes} conv=fsync 2>/dev/null || exit ${PAUSED_EXIT}; done`;
  const writer = spawn('sh', ['-c', script, 'sh', target], { stdio: 'ignore' });
  try {
    while (!existsSync(target)) timeCommand(['sleep', '0.05'], place);
    return work();
  } finally {
    timeCommand(['touch', `${target}.stop`], place);
    timeCommand(
      ['sh', '-c', 'while kill -0 "$1" 2>/dev/null && [ -e "/proc/$1/exe" ]; do sleep 0.1; done', 'sh', String(writer.pid)],
      place,
    );
    for (const name of [target, `${target}.stop`]) rmSync(name, { force: true });
  }
}

function measureColdOnDisk(bench) {
  const copy = join(bench.mounted, 'copy');
  return onDisk(bench, {
    own: () => {
      rmSync(bench.state, { recursive: true, force: true });
      return sessionParts(bench, bench.tree).beforeMs - sessionParts(bench, bench.empty).beforeMs;
    },
    peer: () => {
      const { tookMs } = timeCommand(['cp', '-a', bench.tree, copy], bench.place);
      rmSync(copy, { recursive: true });
      return tookMs;
    },
  });
}

function measureWarmOnDisk(bench) {
  const git = (...words) => timeCommand(['git', '-C', bench.tree, ...words], bench.place).tookMs;
  git('init', '-q');
  git('add', '-A');
  sessionParts(bench, bench.tree);
  return onDisk(bench, {
    own: () => sessionParts(bench, bench.tree).beforeMs - sessionParts(bench, bench.empty).beforeMs,
    peer: () => git('status', '--short'),
  });
}

function onDisk(bench, { own, peer }) {
  const samples = { own: [], peer: [] };
  for (let run = 0; run < Math.min(3, bench.treeRuns); run++) {
    samples.own.push(whileWriting(bench, own));
    samples.peer.push(whileWriting(bench, peer));
  }
  return { ownMs: median(samples.own), peerMs: median(samples.peer) };
}
