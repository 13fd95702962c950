import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** One shell loop of this many runs is one sample of a start: what our own spawn costs is spread over all of them. */
const RUNS_PER_SAMPLE = 10;

/** How a command of the bench ended otherwise than it had to. */
export class BenchFailure extends Error {}

/** Runs a command to its end and gives the milliseconds that it took, and its standard output. */
export function timeCommand(words, { cwd, environment, input = '' }) {
  const begunMs = performance.now();
  const { status, signal, error, stdout, stderr } = spawnSync(words[0], words.slice(1), {
    cwd,
    env: environment,
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const tookMs = performance.now() - begunMs;
  if (status === 0) return { tookMs, stdout };
  const reason = error?.message ?? `status ${status ?? signal}: ${stderr.trim().split('\n').at(-1)}`;
  throw new BenchFailure(`${words.slice(0, 4).join(' ')} … failed with ${reason}`);
}

/**
 * Milliseconds that one start of a short command takes, averaged in a loop of the shell, which costs half a millisecond itself.
 *
 * @param before words that become the shell, such as those of setpriv(1)
 */
export function timeStart(words, { cwd, environment, before = [] }) {
  const loop = `i=0; while [ $i -lt ${RUNS_PER_SAMPLE} ]; do "$@" </dev/null >/dev/null || exit; i=$((i+1)); done`;
  return timeCommand([...before, 'sh', '-c', loop, 'sh', ...words], { cwd, environment }).tookMs / RUNS_PER_SAMPLE;
}

/** Takes samples of both in turn, so that a change of the machine's speed meets both, and gives the medians, or what else is made `of` them. */
export function interleave({ runs, own, peer, of = median }) {
  const samples = { own: [], peer: [] };
  for (let run = 0; run <= runs; run++) {
    const pair = { own: own(), peer: peer?.() };
    // The first pair warms the caches and is not counted.
    if (run === 0) continue;
    samples.own.push(pair.own);
    if (pair.peer !== undefined) samples.peer.push(pair.peer);
  }
  return { ownMs: of(samples.own), peerMs: samples.peer.length === 0 ? undefined : of(samples.peer) };
}

/** The one that a tenth is faster than: what others do on the machine meanwhile makes samples slower, never faster. */
export function tenth(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 10)];
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
