import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BenchFailure, interleave, timeStart } from './measure.mjs';

/** What the same kernel takes to confine a command with another tool. */
const BWRAP = ['bwrap', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', 'true'];
/** On a disk, and nothing is mounted over it. */
const LASTING_DIRECTORY = '/var/tmp';
/** nobody */
const ORDINARY_USER = 65_534;

const STARTS = [
  { name: '--version', words: ['--version'], budget: 1.3 },
  { name: 'wrap -- true', words: ['wrap', '--allow-cwd', '--', 'true'], budget: 2.5 },
  { name: 'run -- true', words: ['run', '--allow-cwd', '--', 'true'], budget: 5 },
  { name: 'run --detached', words: ['run', '--detached', '--allow-cwd', '--', 'true'], budget: 6 },
];

/**
 * Starts of nono beside those of bwrap; by root also as an ordinary user. Root has to look at each name of /etc, to be kept from what only root may read; the
 * others' bwrap needs a namespace of users.
 */
export const START_ROWS = [
  ...STARTS.map((start) => startRow(start, ({ nono, place }) => ({ nono, place }))),
  ...STARTS.map((start) => startRow({ ...start, name: `${start.name}, by an ordinary user` }, asOrdinaryUser)),
];

function startRow({ name, words, budget }, prepare) {
  return {
    name,
    peer: 'bwrap',
    command: 'bwrap',
    budget,
    measure: (bench) => {
      const { nono, place } = prepare(bench);
      return interleave({
        runs: bench.startRuns,
        own: () => timeStart([nono, ...words], place),
        peer: bench.hasPeer ? () => timeStart(BWRAP, place) : undefined,
      });
    },
  };
}

/** With a home and a working directory that this user can reach, and an executable, which is on a disk like the other: a tmpfs takes a start 2 ms longer. */
function asOrdinaryUser({ nono, scratch, place }) {
  if (process.getuid?.() !== 0)
    throw new BenchFailure('only root can be somebody else; the other rows are by an ordinary user here');
  chmodSync(scratch, 0o711);
  const home = mkdtempSync(join(scratch, 'user-'));
  const cwd = join(home, 'empty');
  mkdirSync(cwd);
  for (const directory of [home, cwd]) chownSync(directory, ORDINARY_USER, ORDINARY_USER);
  const before = ['setpriv', `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`, '--clear-groups', '--inh-caps=-all'];
  return { nono: copyForAll(nono), place: { cwd, environment: { ...place.environment, HOME: home }, before } };
}

let copied;

function copyForAll(nono) {
  if (copied !== undefined) return copied;
  const directory = mkdtempSync(join(LASTING_DIRECTORY, 'nono-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o711);
  copied = join(directory, 'nono');
  copyFileSync(nono, copied);
  chmodSync(copied, 0o755);
  return copied;
}
