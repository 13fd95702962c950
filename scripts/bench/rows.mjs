import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { interleave, timeCommand } from './measure.mjs';

const RESTORED_FILES = 10_000;

/** Each row: what is measured, against what, the largest ratio that is allowed, and how. */
export const ROWS = [
  { name: 'cold baseline', peer: 'cp -a of the tree', command: 'cp', budget: 0.7, measure: measureColdBaseline },
  {
    name: 'cold session, nothing changed',
    peer: 'cp -a of the tree',
    command: 'cp',
    budget: undefined,
    measure: measureColdSession,
  },
  { name: `restore of ${RESTORED_FILES} files`, peer: 'cp -a of those', command: 'cp', budget: 2, measure: measureRestore },
];

/** Until the command starts, less the same on an empty directory; no earlier session holds any of the content. */
function measureColdBaseline(bench) {
  return interleave({
    runs: bench.treeRuns,
    own: () => startOfCommand(bench, bench.tree) - startOfCommand(bench, bench.place.cwd),
    peer: () => timeCopy(bench),
  });
}

/** Baseline and final snapshot, less the same on an empty directory. */
function measureColdSession(bench) {
  return interleave({
    runs: bench.treeRuns,
    own: () => timeSession(bench, bench.tree) - timeSession(bench, bench.place.cwd),
    peer: () => timeCopy(bench),
  });
}

function startOfCommand(bench, cwd) {
  forget(bench);
  const begunMs = Date.now();
  const { stdout } = timeCommand([bench.nono, 'run', '--rollback', '--allow-cwd', '--', 'date', '+%s%N'], {
    ...bench.place,
    cwd,
  });
  return Number(BigInt(stdout.trim()) / 1_000_000n) - begunMs;
}

function timeSession(bench, cwd) {
  forget(bench);
  return timeCommand([bench.nono, 'run', '--rollback', '--allow-cwd', '--', 'true'], { ...bench.place, cwd }).tookMs;
}

function timeCopy({ tree, scratch, place }) {
  return copyTo(tree, join(scratch, 'copy'), place);
}

function copyTo(from, to, place) {
  const { tookMs } = timeCommand(['cp', '-a', from, to], place);
  rmSync(to, { recursive: true });
  return tookMs;
}

/** A session deletes the files of the first directories; restoring it is timed, safety snapshot included. */
function measureRestore(bench) {
  const { nono, tree, scratch, paths, place } = bench;
  const doomed = paths.toSorted().slice(0, RESTORED_FILES);
  const those = join(scratch, 'those');
  for (const path of doomed) {
    mkdirSync(dirname(join(those, path)), { recursive: true });
    cpSync(join(tree, path), join(those, path), { preserveTimestamps: true });
  }
  const inTree = { ...place, cwd: tree };
  const figures = interleave({
    runs: bench.treeRuns,
    own: () => {
      forget(bench);
      timeCommand([nono, 'run', '--rollback', '--allow-cwd', '--', 'xargs', '-0', 'rm', '--'], {
        ...inTree,
        input: doomed.join('\0'),
      });
      const { tookMs } = timeCommand([nono, 'rollback', 'restore', 'latest'], inTree);
      const lost = doomed.find((path) => !existsSync(join(tree, path)));
      if (lost !== undefined) throw new Error(`The restore left out ${lost}`);
      return tookMs;
    },
    peer: () => copyTo(those, join(scratch, 'copy'), place),
  });
  rmSync(those, { recursive: true });
  return figures;
}

/** Every session starts with an empty store. */
function forget({ state }) {
  rmSync(state, { recursive: true, force: true });
}
