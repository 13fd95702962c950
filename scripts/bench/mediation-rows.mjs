import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleave, median, tenth, timeCommand } from './measure.mjs';

/** So many batches are one sample: neither what the start of the program takes nor what others do meanwhile is in it. */
const BATCHES = 100;
const CALLS_IN_BATCH = 50;
const FILES = 10_000;
const FILES_IN_DIRECTORY = 100;
const PACKAGES = 60;
const FILES_IN_PACKAGE = 80;

/** Not one of a version manager below a home: the bench has a home of its own. */
const PYTHON = '/usr/bin/python3';

/** The one in the middle; and of a call that nobody else has a part in, where a hundredth counts, the fastest. */
const MEDIAN = 'statistics.median(batches)';
const UNDISTURBED = 'min(batches)';
/** How fast a process is depends on where its memory happens to lie, by a fiftieth: a hundredth is seen in the fastest tenth of so many times more of them. */
const MORE_PROCESSES = 10;

/** A program that makes the call again and again and prints the nanoseconds that one takes; what is before and after a batch is not counted. */
const program = ({ prepare = '', before = '', call, after = '', statistic = MEDIAN }) => `
import os, socket, statistics, time
open("f", "w").close()
f = os.open("f", os.O_RDWR)
${prepare}
batches = []
for batch in range(${BATCHES}):
    ${before}
    begun = time.perf_counter_ns()
    for at in range(${CALLS_IN_BATCH}):
        ${call}
    batches.append(time.perf_counter_ns() - begun)
    ${after}
print(${statistic} / ${CALLS_IN_BATCH})
`;

/** BPF_RET of SECCOMP_RET_ALLOW, PR_SET_NO_NEW_PRIVS and PR_SET_SECCOMP: what the kernel takes for any filter at all, on a call that it need not run it for. */
const ALLOW_EVERYTHING = `
import ctypes, struct
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000), 8)
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)), 16)
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter): raise OSError(ctypes.get_errno(), "prctl")`;

/** What a mediated call may take longer than without, in µs. */
const EXTRA_US = 15;

const PWRITE = 'os.pwrite(f, b"x", 0)';

/** The same loop under wrap and without, in µs for each call: what is mediated, and what the filter only lets pass. */
const CALL_ROWS = [
  { name: 'chmod', call: 'os.chmod("f", 0o600 + at % 2)' },
  { name: 'fchmod, open for writing', call: 'os.fchmod(f, 0o600 + at % 2)' },
  { name: 'chown', call: 'os.chown("f", -1, -1)' },
  { name: 'utime', call: 'os.utime("f", (at, at))' },
  // As clients do. A relative path is looked for in the caller's own directory, which takes 2 µs more.
  { name: 'connect, local', ...connects('socket.AF_UNIX', 'os.path.abspath("s")') },
  { name: 'connect, local by a relative path', ...connects('socket.AF_UNIX', '"s"'), extra: undefined },
  { name: 'connect, TCP', ...connects('socket.AF_INET', '("127.0.0.1", 0)') },
  { name: 'open to read and write, which may be of a terminal', call: 'os.close(os.open("f", os.O_RDWR))' },
  // Decided by its number alone, as nearly all calls are: what this filter costs more than any, and what having one costs at all.
  {
    name: 'not mediated: pwrite',
    call: PWRITE,
    statistic: UNDISTURBED,
    peer: 'a filter that allows all',
    instead: ALLOW_EVERYTHING,
    budget: 1.01,
    extra: undefined,
  },
  { name: 'not mediated: pwrite, and no filter at all', call: PWRITE, statistic: UNDISTURBED, extra: undefined },
  // Decided by its flags; most of what it takes longer is Landlock's.
  { name: 'not mediated: open to read', call: 'os.close(os.open("f", os.O_RDONLY))', extra: undefined },
].map(({ name, prepare = '', before, call, after, statistic, instead = '', ...row }) => ({
  peer: 'without nono',
  budget: undefined,
  extra: EXTRA_US,
  ...row,
  name: `one ${name}`,
  command: PYTHON,
  unit: 'µs',
  measure: ({ nono, place, scratch, startRuns }) => {
    const cwd = join(scratch, 'calls');
    mkdirSync(cwd, { recursive: true });
    const one = (prefix, first) => {
      rmSync(join(cwd, 's'), { force: true });
      const words = [...prefix, PYTHON, '-c', program({ prepare: `${prepare}${first}`, before, call, after, statistic })];
      return Number(timeCommand(words, { ...place, cwd }).stdout) / 1000;
    };
    return interleave({
      runs: statistic === UNDISTURBED ? startRuns * MORE_PROCESSES : startRuns,
      of: statistic === UNDISTURBED ? tenth : median,
      own: () => one([nono, 'wrap', '--allow-cwd', '--'], ''),
      peer: () => one([], instead),
    });
  },
}));

/** What --ask costs an open that the grants give, in µs for each: at most 60 more, and nothing without it. */
const OPEN_ROWS = [
  { name: 'one open of a granted file, under --ask', peer: 'without --ask', options: ['--ask'], peerIsNono: true },
  { name: 'one open of a granted file, not asked for', peer: 'without nono', options: [], peerIsNono: false },
].map(({ name, peer, options, peerIsNono }) => ({
  name,
  peer,
  command: PYTHON,
  budget: undefined,
  unit: 'µs',
  measure: ({ nono, place, scratch, startRuns }) => {
    const cwd = join(scratch, 'opens');
    mkdirSync(cwd, { recursive: true });
    const words = [PYTHON, '-c', program({ call: 'os.close(os.open("f", os.O_RDONLY))' })];
    const one = (prefix) => Number(timeCommand([...prefix, ...words], { ...place, cwd }).stdout) / 1000;
    const run = [nono, 'run', '--allow-cwd'];
    const own = () => one([...run, ...options, '--']);
    return interleave({ runs: startRuns, own, peer: () => one(peerIsNono ? [...run, '--'] : []) });
  },
}));

/** A batch of sockets, each of which connects to a server of the same program. */
function connects(family, at) {
  return {
    prepare: `
server = socket.socket(${family}); server.bind(${at}); server.listen(${2 * CALLS_IN_BATCH}); where = server.getsockname()`,
    before: `sockets = [socket.socket(${family}) for at in range(${CALLS_IN_BATCH})]`,
    call: 'sockets[at].connect(where)',
    after: 'for s in sockets: server.accept()[0].close(); s.close()',
  };
}

/** Under wrap and without: the same words in a directory of their own. */
function underWrap(prepare, words) {
  return (bench) => {
    const { nono, place, scratch, startRuns } = bench;
    const cwd = join(scratch, 'mediated');
    rmSync(cwd, { recursive: true, force: true });
    mkdirSync(cwd);
    const bound = { ...place, cwd };
    prepare(bound);
    const figures = interleave({
      runs: Math.min(startRuns, 5),
      own: () => timeCommand([nono, 'wrap', '--allow-cwd', '--', ...words], bound).tookMs,
      peer: () => timeCommand(words, bound).tookMs,
    });
    rmSync(cwd, { recursive: true });
    return figures;
  };
}

/** An archive of empty files: what is measured is what tar does with each, not the bytes. */
function archive({ cwd, environment }) {
  for (let at = 0; at < FILES; at++) {
    const directory = join(cwd, 'from', String(Math.floor(at / FILES_IN_DIRECTORY)));
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file-${at}`), '');
  }
  timeCommand(['tar', 'cf', 'all.tar', 'from'], { cwd, environment });
}

/** A project whose packages are archives beside it, so that no registry is asked. */
function packages({ cwd, environment }) {
  const dependencies = {};
  mkdirSync(join(cwd, 'archives'));
  for (let at = 0; at < PACKAGES; at++) {
    const lib = join(cwd, 'package', 'lib');
    mkdirSync(lib, { recursive: true });
    for (let file = 0; file < FILES_IN_PACKAGE; file++) writeFileSync(join(lib, `${file}.js`), `// ${'x'.repeat(2000)}\n`);
    const bin = at % 3 === 0 ? { [`tool-${at}`]: 'lib/0.js' } : undefined;
    writeFileSync(join(cwd, 'package/package.json'), JSON.stringify({ name: `part-${at}`, version: '1.0.0', bin }));
    timeCommand(['tar', 'czf', `archives/${at}.tgz`, 'package'], { cwd, environment });
    dependencies[`part-${at}`] = `file:archives/${at}.tgz`;
  }
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'whole', version: '1.0.0', dependencies }));
  timeCommand(['npm', 'install', '--package-lock-only', '--offline', '--no-audit'], { cwd, environment });
}

/** What nono carries out for its command, beside the same without nono. */
export const MEDIATION_ROWS = [
  ...CALL_ROWS,
  ...OPEN_ROWS,
  {
    name: `tar x of ${FILES} files`,
    peer: 'without nono',
    command: 'tar',
    budget: undefined,
    measure: underWrap(archive, ['tar', 'xf', 'all.tar', '--one-top-level=to', '--overwrite']),
  },
  {
    name: 'npm ci, offline',
    peer: 'without nono',
    command: 'npm',
    budget: 1.3,
    measure: underWrap(packages, ['npm', 'ci', '--offline', '--no-audit', '--cache', '.cache']),
  },
];
