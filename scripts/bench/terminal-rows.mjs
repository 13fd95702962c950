import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { BenchFailure, median, timeCommand } from './measure.mjs';

/**
 * Rows of sessions on a terminal, which script(1) makes. `needsTree: false`: none of the large tree; `limit` is for the
 * figure itself, where there is no peer.
 */
export const TERMINAL_ROWS = [
  terminalRow({ name: '48 MB of coloured log', peer: 'tmux', budget: 0.5, measure: measureLog }),
  terminalRow({ name: 'keystroke to echo p50', peer: 'tmux', budget: 1, measure: measureEcho(0.5) }),
  terminalRow({ name: 'keystroke to echo p99', peer: 'tmux', budget: 1, measure: measureEcho(0.99) }),
  terminalRow({ name: 'attach, screen drawn', peer: 'tmux attach', budget: 4, measure: measureAttach('screen') }),
  terminalRow({ name: 'attach, 10,000 lines drawn', peer: '-', limit: 60, measure: measureAttach('all') }),
  terminalRow({ name: 'idle supervisor, PSS', peer: '-', unit: 'MB', limit: 40, measure: measureIdle('true') }),
  terminalRow({ name: 'PSS with 10,000 lines', peer: '-', unit: 'MB', limit: 50, measure: measureIdle(manyLines(10_100)) }),
  terminalRow({ name: '500 MB flood, peak PSS', peer: '-', unit: 'MB', limit: 150, measure: measureFlood }),
];

const LOG_BYTES = 48_000_000;
/** Where the scheduler has those run who pass it on makes one twice as long as another, of whatever reads a terminal. */
const LOGS_MINIMUM = 3;
const FLOOD_BYTES = 500_000_000;
/** Fifteen of them are slower than p99. */
const KEYS = 1500;
const ATTACHES = 5;
const SETTLE_MS = 3000;
const SAMPLE_MS = 20;
const TIMEOUT_MS = 120_000;
const KEPT_CHARACTERS = 100;

function terminalRow(row) {
  return { command: row.peer.startsWith('tmux') ? 'tmux' : 'script', needsTree: false, ...row };
}

/** Lines of 79 columns, numbered. */
function manyLines(count) {
  return `awk 'BEGIN { for (i = 1; i <= ${count}; i++) { s = sprintf("row-%06d ", i); while (length(s) < 79) s = s "x"; print s } }'`;
}

async function measureLog({ nono, place, scratch, hasPeer, startRuns }) {
  const log = join(scratch, 'coloured.log');
  writeFileSync(log, colouredLog());
  const tmux = tmuxWords(scratch);
  const samples = { own: [], peer: [] };
  for (let run = 0; run < Math.max(LOGS_MINIMUM, Math.ceil(startRuns / 3)); run++) {
    samples.own.push(await timeOnTerminal(`${nono} run --allow-cwd --read-file ${log} -- cat ${log}`, place));
    if (hasPeer) samples.peer.push(await timeOnTerminal(`${tmux} new-session 'cat ${log}'`, place));
  }
  return { ownMs: median(samples.own), peerMs: hasPeer ? median(samples.peer) : undefined };
}

async function timeOnTerminal(command, place) {
  const begunMs = performance.now();
  const terminal = openTerminal(command, place);
  await terminal.ended;
  return performance.now() - begunMs;
}

function measureEcho(quantile) {
  return async ({ nono, place, scratch, hasPeer }) => {
    const tmux = tmuxWords(scratch);
    const commands = [`${nono} run --name echo --allow-cwd -- cat`, ...(hasPeer ? [`${tmux} new-session cat`] : [])];
    const [own, peer] = await echoTimes(commands, place);
    // A terminal that is closed only detaches.
    timeCommand([nono, 'stop', '--force', 'echo'], place);
    if (hasPeer) timeCommand(['sh', '-c', `${tmux} kill-server`], place);
    return { ownMs: quantileOf(own, quantile), peerMs: hasPeer ? quantileOf(peer, quantile) : undefined };
  };
}

/**
 * What is typed comes back by the terminal of the command, through the session, to the terminal that is typed at. Each key is typed at all of them, one
 * after the other: what else the machine does meets them alike.
 */
async function echoTimes(commands, place) {
  const terminals = commands.map((command) => openTerminal(command, place));
  try {
    await sleep(SETTLE_MS / 3);
    const times = commands.map(() => []);
    for (let key = 0; key < KEYS; key++)
      for (const [at, terminal] of terminals.entries()) times[at].push(await timeEcho(terminal, key));
    return times;
  } finally {
    for (const terminal of terminals) terminal.close();
  }
}

async function timeEcho(terminal, key) {
  const letter = String.fromCharCode(97 + (key % 26));
  const begunMs = performance.now();
  terminal.type(letter);
  await terminal.until((text) => text.includes(letter));
  const tookMs = performance.now() - begunMs;
  // A line is ended before it wraps.
  if (key % 26 === 25) terminal.type('\r');
  await sleep(5);
  terminal.forget();
  return tookMs;
}

function measureAttach(part) {
  return async ({ nono, place, scratch, hasPeer }) => {
    const command = `${manyLines(10_100)}; sleep 1000`;
    const id = startDetached({ nono, place }, command);
    const tmux = tmuxWords(scratch);
    if (hasPeer)
      timeCommand(['sh', '-c', `${tmux} set -g history-limit 10000 \\; new-session -d -x 80 -y 24 "$0"`, command], place);
    await sleep(SETTLE_MS);
    const samples = { own: [], peer: [] };
    for (let run = 0; run < ATTACHES; run++) {
      const wanted = part === 'screen' ? 'row-010100' : 'row-000200';
      samples.own.push(await timeUntil(`${nono} attach ${id}`, place, wanted));
      if (hasPeer) samples.peer.push(await timeUntil(`${tmux} attach`, place, 'row-010100'));
    }
    timeCommand([nono, 'stop', '--force', id], place);
    if (hasPeer) timeCommand(['sh', '-c', `${tmux} kill-server`], place);
    return { ownMs: median(samples.own), peerMs: part === 'screen' && hasPeer ? median(samples.peer) : undefined };
  };
}

/** From the start of a client to the moment that its terminal has been written so much. */
async function timeUntil(command, place, wanted) {
  const begunMs = performance.now();
  const terminal = openTerminal(command, place);
  try {
    await terminal.until((text) => text.includes(wanted));
    return performance.now() - begunMs;
  } finally {
    terminal.close();
    await sleep(10 * SAMPLE_MS);
  }
}

function measureIdle(command) {
  return async ({ nono, place, state }) => {
    const id = startDetached({ nono, place }, `${command}; sleep 1000`);
    await sleep(SETTLE_MS);
    const ownMs = pssMegabytes(supervisorOf(state, id));
    timeCommand([nono, 'stop', '--force', id], place);
    return { ownMs };
  };
}

async function measureFlood({ nono, place, state }) {
  const line = 'a line of a flood that is as long as many lines of a log are, and not longer'.padEnd(78);
  const id = startDetached({ nono, place }, `yes '${line}' | head -c ${FLOOD_BYTES}; exit`);
  const pid = supervisorOf(state, id);
  let peak = 0;
  for (let isRunning = true; isRunning; await sleep(SAMPLE_MS)) {
    isRunning = readRecord(state, id).status !== 'exited';
    peak = Math.max(peak, pssMegabytes(pid));
  }
  return { ownMs: peak };
}

function startDetached({ nono, place }, command) {
  const { stdout } = timeCommand([nono, 'run', '--detached', '--allow-cwd', '--', 'sh', '-c', command], place);
  const id = /session (?<id>[0-9a-f]{6})\./.exec(stdout)?.groups?.id;
  if (id === undefined) throw new BenchFailure(`no session was started: ${stdout}`);
  return id;
}

function readRecord(state, id) {
  return JSON.parse(readFileSync(join(state, 'sessions', `${id}.json`), 'utf8'));
}

function supervisorOf(state, id) {
  return readRecord(state, id).supervisor_pid;
}

/** 0 for a process that has just ended. */
function pssMegabytes(pid) {
  const { stdout } = spawnSync('cat', [`/proc/${pid}/smaps_rollup`], { encoding: 'utf8' });
  return Number(/^Pss: +(?<kilobytes>\d+)/m.exec(stdout)?.groups?.kilobytes ?? 0) / 1024;
}

function tmuxWords(scratch) {
  return `tmux -f /dev/null -S ${join(scratch, 'tmux.sock')}`;
}

/** A command line that script(1) runs on a terminal of 80 by 24. */
function onTerminal(command) {
  return ['script', '-qfec', `stty cols 80 rows 24; ${command}`, '/dev/null'];
}

function openTerminal(command, { cwd, environment }) {
  const [file, ...words] = onTerminal(command);
  const child = spawn(file, words, { cwd, env: { ...environment, TERM: 'xterm-256color' }, stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  let look = () => undefined;
  child.stdout.on('data', (data) => {
    // Nobody waits for more than what came last.
    text = text.slice(-KEPT_CHARACTERS) + data.toString('latin1');
    look();
  });
  return {
    type: (keys) => child.stdin.write(keys),
    forget: () => (text = ''),
    ended: new Promise((resolve) => child.on('exit', resolve)),
    until: (matches) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new BenchFailure(`${command} never wrote what was waited for`)), TIMEOUT_MS);
        look = () => {
          if (!matches(text)) return;
          clearTimeout(timer);
          look = () => undefined;
          resolve();
        };
        look();
      }),
    close: () => child.kill('SIGKILL'),
  };
}

function colouredLog() {
  const lines = [];
  for (let bytes = 0, at = 0; bytes < LOG_BYTES; at++) {
    const line = `\x1b[32m${at}\x1b[0m INFO \x1b[1;34mserver\x1b[0m handled /api/v1/items/${at} in \x1b[33m${at % 97}ms\x1b[0m status=\x1b[32m200\x1b[0m\n`;
    lines.push(line);
    bytes += line.length;
  }
  return lines.join('');
}

function quantileOf(numbers, quantile) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))];
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
