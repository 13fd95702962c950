import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchFailure, interleave, timeCommand, timeStart } from './measure.mjs';

const RECORDS = 1000;
const SETTLE_SECONDS = 2;

/** Rows of sessions. One without a peer is measured against a limit of its own unit: its ratio is the part of the limit that it takes. */
export const SESSION_ROWS = [
  limitRow({ name: `ps of ${RECORDS} records`, limit: 40, measure: measureList }),
  limitRow({
    name: 'SIGTERM to an idle session until its command has it',
    limit: 50,
    measure: (bench) => measureStop(bench, 'sleep 1000'),
  }),
  limitRow({ name: 'SIGTERM to a busy one', limit: 50, measure: (bench) => measureStop(bench, 'yes') }),
  limitRow({ name: 'PSS of an idle supervisor', unit: 'MB', limit: 40, measure: measureMemory }),
];

function limitRow({ name, unit = 'ms', limit, measure }) {
  return {
    name,
    unit,
    peer: 'limit',
    command: 'sh',
    budget: 1,
    measure: (bench) => interleave({ runs: bench.startRuns, own: () => measure(bench), peer: () => limit }),
  };
}

/** Most of them ended, which is what a registry is full of. */
function measureList({ nono, place, state }) {
  forget(state);
  timeCommand([nono, 'run', '--allow-cwd', '--', 'true'], place);
  const sessions = join(state, 'sessions');
  const name = readdirSync(sessions).find((file) => file.endsWith('.json'));
  const text = readFileSync(join(sessions, name), 'utf8');
  for (let count = 0; count < RECORDS; count++) {
    const id = (0x100000 + count).toString(16);
    writeFileSync(join(sessions, `${id}.json`), text.replaceAll(name.slice(0, 6), id), { mode: 0o600 });
  }
  const tookMs = timeStart([nono, 'ps', '--all'], place);
  forget(state);
  return tookMs;
}

/** From the signal to the supervisor until the command notes the time, which a shell does in the next millisecond. */
function measureStop({ nono, place, state }, work) {
  forget(state);
  const script = `trap 'date +%s%N > ended; exit' TERM; ${work} & while :; do wait; done`;
  const { pid, id } = startDetached({ nono, place, state }, script);
  const sentMs = Date.now();
  process.kill(pid, 'SIGTERM');
  timeCommand([nono, 'wait', id], place);
  return Number(BigInt(readFileSync(join(place.cwd, 'ended'), 'utf8').trim()) / 1_000_000n) - sentMs;
}

function measureMemory({ nono, place, state }) {
  forget(state);
  const { pid, id } = startDetached({ nono, place, state }, 'sleep 1000');
  spawnSync('sleep', [String(SETTLE_SECONDS)]);
  const pss = /^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
  timeCommand([nono, 'stop', '--force', id], place);
  if (pss === null) throw new BenchFailure('the kernel does not tell the PSS');
  return Number(pss[1]) / 1000;
}

function startDetached({ nono, place, state }, script) {
  const { stdout } = timeCommand([nono, 'run', '--detached', '--allow-cwd', '--', 'sh', '-c', `: > up; ${script}`], place);
  const id = /session ([0-9a-f]{6})/.exec(stdout)[1];
  // The trap is set as soon as the shell has begun, which the supervisor's word is ahead of.
  timeCommand(['sh', '-c', 'until [ -e up ]; do sleep 0.01; done; rm up; sleep 0.2'], place);
  const { supervisor_pid: pid } = JSON.parse(readFileSync(join(state, 'sessions', `${id}.json`), 'utf8'));
  return { pid, id };
}

/** Every measurement starts with an empty registry. */
function forget(state) {
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { mode: 0o700 });
}
