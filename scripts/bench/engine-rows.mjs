import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { interleave, median, timeCommand } from './measure.mjs';

/** Rows that compare one snapshot with another, or with what reads the same bytes. */
export const ENGINE_ROWS = [
  { name: 'warm baseline', peer: 'git status', command: 'git', budget: 3, measure: measureWarmBaseline },
  { name: 'final after 100 changes', peer: 'warm baseline', command: 'sh', budget: 1.2, measure: measureFinal },
  {
    name: 'restore of all, while the command runs',
    peer: 'cp -a',
    command: 'cp',
    budget: undefined,
    measure: measureWhileRunning,
  },
  { name: 'disk of a second session', peer: 'the first', command: 'du', budget: 0.05, unit: 'KiB', measure: measureDisk },
  { name: 'verify', peer: 'two Node processes that hash the same', command: 'node', budget: 1.3, measure: measureVerify },
  { name: 'cold baseline of 1,000', peer: 'cp -a', command: 'cp', budget: undefined, measure: growth(1000) },
  { name: 'cold baseline of 10,000', peer: 'cp -a', command: 'cp', budget: undefined, measure: growth(10_000) },
  { name: 'cold baseline of 100,000', peer: 'cp -a', command: 'cp', budget: undefined, measure: growth(100_000) },
  { name: 'cold baseline of 300,000', peer: 'cp -a', command: 'cp', budget: undefined, measure: growth(300_000) },
  {
    name: 'peak memory for 200,000 more',
    peer: '200 bytes each',
    command: '/usr/bin/time',
    budget: 1,
    unit: 'KiB',
    measure: measureMemory,
  },
  { name: 'cold baseline of one 4 GB file', peer: 'sha256sum', command: 'sha256sum', budget: undefined, measure: measureLarge },
];

const RUN = ['run', '--rollback', '--allow-cwd', '--'];
const NANOSECONDS = 1_000_000n;

/** Milliseconds from the start of nono to that of its command, and from the command's end to nono's. */
export function sessionParts({ nono, place }, cwd, script = 'true') {
  const begunMs = Date.now();
  const words = [nono, ...RUN, 'sh', '-c', `date +%s%N; ${script}; date +%s%N`];
  const { stdout } = timeCommand(words, { ...place, cwd });
  const endedMs = Date.now();
  const [started, ended] = stdout
    .trim()
    .split('\n')
    .map((text) => Number(BigInt(text) / NANOSECONDS));
  return { beforeMs: started - begunMs, afterMs: endedMs - ended };
}

function forget({ state }) {
  rmSync(state, { recursive: true, force: true });
}

/** The tree is unchanged since the last session; an empty directory is what the start itself costs. */
function warmMs(bench) {
  return sessionParts(bench, bench.tree).beforeMs - sessionParts(bench, bench.place.cwd).beforeMs;
}

function measureWarmBaseline(bench) {
  const git = (...words) => timeCommand(['git', '-C', bench.tree, ...words], bench.place).tookMs;
  forget(bench);
  git('init', '-q');
  git('add', '-A');
  sessionParts(bench, bench.tree);
  const figures = interleave({ runs: bench.treeRuns, own: () => warmMs(bench), peer: () => git('status', '--short') });
  rmSync(join(bench.tree, '.git'), { recursive: true });
  return figures;
}

function measureFinal(bench) {
  forget(bench);
  sessionParts(bench, bench.tree);
  const changed = bench.paths.filter((_, index) => index % Math.ceil(bench.paths.length / 100) === 0);
  const script = changed.map((path) => `echo x >> '${path}'`).join('; ');
  const afterMs = (cwd, what) => sessionParts(bench, cwd, what).afterMs;
  return interleave({
    runs: bench.treeRuns,
    own: () => afterMs(bench.tree, script) - afterMs(bench.place.cwd, 'true'),
    peer: () => warmMs(bench),
  });
}

/** The command deletes all files and goes on; they are restored under it. */
const UNDER_THE_COMMAND = `
  rm -f "$2" && mkfifo "$2"
  "$1" run --rollback --allow-cwd -- sh -c 'find . -type f -delete; echo ready; read line' < "$2" | {
    exec 3> "$2"; read ready
    begun=$(date +%s%N); "$1" rollback restore latest > /dev/null || exit; ended=$(date +%s%N)
    echo >&3; echo $(( (ended - begun) / 1000000 )); cat > /dev/null
  }
`;

function measureWhileRunning(bench) {
  const { nono, place, scratch, tree } = bench;
  const copy = join(scratch, 'copy');
  const gate = join(scratch, 'gate');
  const samples = [];
  const peers = [];
  for (let run = 0; run < Math.min(3, bench.treeRuns); run++) {
    forget(bench);
    const words = ['sh', '-c', UNDER_THE_COMMAND, 'sh', nono, gate];
    samples.push(Number(timeCommand(words, { ...place, cwd: tree }).stdout));
    peers.push(timeCommand(['cp', '-a', tree, copy], place).tookMs);
    rmSync(copy, { recursive: true });
  }
  return { ownMs: median(samples), peerMs: median(peers) };
}

function measureDisk(bench) {
  forget(bench);
  const usedKib = () => Number(execFileSync('du', ['-sk', bench.state], { encoding: 'utf8' }).split('\t')[0]);
  sessionParts(bench, bench.tree);
  const first = usedKib();
  sessionParts(bench, bench.tree);
  return { ownMs: usedKib() - first, peerMs: first };
}

const HASHER = `
  const { createHash } = require('node:crypto'), fs = require('node:fs');
  for (const path of fs.readFileSync(0, 'utf8').split('\\n')) if (path !== '') createHash('sha256').update(fs.readFileSync(path)).digest();
`;

/** Two processes, each with half of the files. */
function hashWithNode({ paths, tree, scratch, place }) {
  const halves = [0, 1].map((half) => {
    const list = join(scratch, `list-${half}`);
    writeFileSync(list, paths.filter((_, index) => index % 2 === half).join('\n'));
    return list;
  });
  const script = 'node -e "$0" < "$1" & node -e "$0" < "$2"; wait';
  return timeCommand(['sh', '-c', script, HASHER, ...halves], { ...place, cwd: tree }).tookMs;
}

function measureVerify(bench) {
  forget(bench);
  sessionParts(bench, bench.tree);
  return interleave({
    runs: bench.treeRuns,
    own: () => timeCommand([bench.nono, 'rollback', 'verify', 'latest'], bench.place).tookMs,
    peer: () => hashWithNode(bench),
  });
}

/** Small files, a hundred to a directory, so that only the number of entries counts. */
function makeMany(directory, count) {
  for (let index = 0; index < count; index++) {
    const path = join(directory, `d${Math.floor(index / 10_000)}`, `e${Math.floor(index / 100)}`, `f${index}`);
    if (index % 100 === 0) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${index}\n`);
  }
}

function growth(count) {
  return (bench) => {
    const many = join(bench.scratch, 'many');
    const copy = join(bench.scratch, 'copy');
    makeMany(many, count);
    const samples = [];
    const peers = [];
    for (let run = 0; run < Math.min(3, bench.treeRuns); run++) {
      forget(bench);
      samples.push(sessionParts(bench, many).beforeMs - sessionParts(bench, bench.place.cwd).beforeMs);
      peers.push(timeCommand(['cp', '-a', many, copy], bench.place).tookMs);
      rmSync(copy, { recursive: true });
    }
    rmSync(many, { recursive: true });
    return { ownMs: median(samples), peerMs: median(peers) };
  };
}

/** What 300,000 entries take over 100,000, in the largest of nono's processes: what threads and the runtime take is the same. */
function measureMemory(bench) {
  const many = join(bench.scratch, 'many');
  const report = join(bench.scratch, 'time');
  const peakKib = (count) => {
    makeMany(many, count);
    forget(bench);
    timeCommand(['/usr/bin/time', '-f', '%M', '-o', report, bench.nono, ...RUN, 'true'], { ...bench.place, cwd: many });
    rmSync(many, { recursive: true });
    return Number(execFileSync('tail', ['-n1', report], { encoding: 'utf8' }));
  };
  return { ownMs: peakKib(300_000) - peakKib(100_000), peerMs: (200_000 * 200) / 1024 };
}

function measureLarge(bench) {
  const directory = join(bench.scratch, 'large');
  mkdirSync(directory);
  const file = join(directory, 'file');
  const block = Buffer.alloc(16 * 1024 * 1024, 'nono');
  for (let written = 0; written < 4e9; written += block.length) appendFileSync(file, block);
  forget(bench);
  const ownMs = sessionParts(bench, directory).beforeMs - sessionParts(bench, bench.place.cwd).beforeMs;
  const peerMs = timeCommand(['sha256sum', file], bench.place).tookMs;
  truncateSync(file);
  rmSync(directory, { recursive: true });
  return { ownMs, peerMs };
}
