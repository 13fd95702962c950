// Records what real programs write to a terminal of 80 by 24 into test/fixtures/recordings, one compressed file for each,
// for the tests of the terminal model. A program that is missing is named and left as it was recorded last.
//
//   npm run build && node scripts/record-programs.mjs [NAME…]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { argv, env, stderr, stdout } from 'node:process';
import { gzipSync } from 'node:zlib';
import { TOP } from './lib/prepare.mjs';
import { hasCommand } from './lib/tools.mjs';

const FIXTURES = join(TOP, 'test', 'fixtures', 'recordings');
const NONO = join(TOP, 'dist', 'nono');
const POLL_MS = 50;
const TIMEOUT_MS = 30_000;
const [F2, F9, F10] = ['\x1bOQ', '\x1b[20~', '\x1b[21~'];

/**
 * `steps`: what the screen has to show, and the keys that are then pressed (`text` is typed, `key` by its name). The last one
 * ends the program.
 */
const PROGRAMS = [
  {
    name: 'vim',
    command: [
      'vim',
      '-n',
      '-u',
      'NONE',
      '-i',
      'NONE',
      '-c',
      'syntax on',
      '-c',
      'set number hlsearch laststatus=2 mouse=a',
      'text.c',
    ],
    steps: [
      { until: 'int main', keys: ['text:/return\n'] },
      { until: 'return 0', keys: ['text:onew line with 日本語 and é', 'key:esc'] },
      { until: '日本語', keys: ['text::split\n', 'text::vsplit\n'] },
      { until: /text\.c.*text\.c/, keys: ['text:GyyPPP', 'key:ctrl-b', 'text:vjjj'] },
      { until: 'return', keys: ['key:esc', 'text::qa!\n'] },
    ],
  },
  {
    name: 'less',
    command: ['less', '-N', '-S', 'long.txt'],
    steps: [
      { until: 'long.txt', keys: ['text: ', 'text: ', 'text:/row 77\n'] },
      { until: 'row 77', keys: ['text:nN', 'key:right', 'text:G'] },
      { until: 'END', keys: ['text:g', 'text:q'] },
    ],
  },
  {
    name: 'htop',
    command: ['sh', '-c', 'sleep 100 & htop -d 5 -p $!'],
    steps: [
      { until: 'PID', keys: [`text:${F2}`] },
      { until: /Setup|Meters/, keys: ['key:down', 'key:down', 'key:esc'] },
      { until: 'PID', keys: ['text:q'] },
    ],
  },
  {
    name: 'mc',
    command: ['sh', '-c', 'HOME=$PWD exec mc -u -d src .'],
    steps: [
      { until: '10Quit', keys: ['key:down', 'key:down', `text:${F9}`] },
      { until: 'Left', keys: ['key:right', 'key:down', `text:${F10}`] },
      { until: '10Quit', keys: ['key:tab', `text:${F10}`] },
    ],
  },
  {
    name: 'tmux',
    command: ['sh', '-c', 'TMUX_TMPDIR=$TMPDIR exec tmux -f /dev/null new-session "sh -c \'cat coloured.txt; exec cat\'"'],
    steps: [
      { until: 'coloured 30', keys: ['key:ctrl-b', 'text:%'] },
      { until: '│', keys: ['key:ctrl-b', 'text:"'] },
      { until: '──', keys: ['key:ctrl-b', 'text:[', 'key:up', 'key:up', 'text:q', 'key:ctrl-b', 'text:&', 'text:y'] },
    ],
  },
  {
    name: 'git-log',
    command: ['git', '-c', 'core.pager=less -R', 'log', '--graph', '--stat', '--color=always'],
    steps: [
      { until: 'commit', keys: ['text: ', 'text: ', 'text:G'] },
      { until: 'END', keys: ['text:q'] },
    ],
  },
  {
    name: 'build',
    command: [
      'sh',
      '-c',
      'git clone --progress --no-local . copy && rm -rf copy && cargo build --offline --color always; echo all built',
    ],
    steps: [{ until: 'all built', keys: [] }],
    needs: ['cargo'],
  },
  {
    name: 'fzf',
    command: ['sh', '-c', 'seq -f "candidate %g" 1 500 | fzf --multi --preview "echo chosen {}"'],
    steps: [
      { until: '500/500', keys: ['text:7'] },
      { until: /> *7/, keys: ['key:up', 'key:tab', 'key:down', 'key:tab', 'text:3'] },
      { until: /73/, keys: ['key:enter'] },
    ],
  },
];

const wanted = argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'recordings-'));
try {
  prepareProject();
  mkdirSync(FIXTURES, { recursive: true });
  for (const program of PROGRAMS) {
    const missing = [program.command[0] ?? '', program.name.split('-')[0] ?? '', ...(program.needs ?? [])].find(
      (name) => name !== 'build' && !hasCommand(name),
    );
    if (wanted.length > 0 && !wanted.includes(program.name)) continue;
    if (missing === undefined) await record(program);
    else stderr.write(`${program.name}: left as it is, there is no ${missing} here\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function record({ name, command, steps }) {
  const started = nono('run', '--detached', '--allow-cwd', ...toolchain(), '--', ...command);
  const id = /session (?<id>[0-9a-f]{6})\./.exec(started)?.groups?.id;
  if (id === undefined) throw new Error(`${name} was not started: ${started}`);
  try {
    for (const { until, keys } of steps) {
      await untilShown(id, until);
      await press(id, keys);
    }
    nono('wait', id);
  } catch (error) {
    spawnNono(['stop', '--force', id]);
    throw error;
  }
  const bytes = withoutNames(spawnNono(['logs', '--raw', id]).stdout);
  writeFileSync(join(FIXTURES, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  stdout.write(`${name}: ${bytes.length} bytes\n`);
}

async function press(id, keys) {
  for (const key of keys) {
    const [kind, ...rest] = key.split(':');
    if (kind === 'key') nono('send', id, '--key', rest.join(':'));
    else nono('send', id, rest.join(':').replaceAll('\n', '\r'));
    await sleep(4 * POLL_MS);
  }
}

/** What tells about the machine, by something as long: where the cursor goes depends on it. */
function withoutNames(bytes) {
  let text = bytes.toString('latin1');
  for (const name of [scratch, homedir(), hostname(), env.USER ?? '', userInfo().username])
    if (name.length > 1) text = text.replaceAll(name, 'x'.repeat(name.length));
  return Buffer.from(text, 'latin1');
}

async function untilShown(id, pattern) {
  for (let waitedMs = 0; waitedMs < TIMEOUT_MS; waitedMs += POLL_MS) {
    const shown = nono('screen', id);
    if (typeof pattern === 'string' ? shown.includes(pattern) : pattern.test(shown)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`never shown: ${String(pattern)}\n${nono('screen', id)}`);
}

function nono(...words) {
  const { status, stdout: output, stderr: errors } = spawnNono(words);
  if (status !== 0) throw new Error(`nono ${words.join(' ')} failed: ${errors.toString()}`);
  return output.toString();
}

function spawnNono(words) {
  const { PATH, CARGO_HOME, RUSTUP_HOME } = env;
  const environment = { HOME: scratch, PATH, LANG: 'C.UTF-8', TERM: 'xterm-256color', CARGO_HOME, RUSTUP_HOME };
  return spawnSync(NONO, words, { cwd: join(scratch, 'project'), env: environment, maxBuffer: 64 * 1024 * 1024 });
}

function toolchain() {
  const homes = [env.CARGO_HOME ?? join(homedir(), '.cargo'), env.RUSTUP_HOME ?? join(homedir(), '.rustup')];
  return homes.filter((path) => existsSync(path)).flatMap((path) => ['--read', path]);
}

function prepareProject() {
  const project = join(scratch, 'project');
  mkdirSync(join(project, 'src'), { recursive: true });
  const lines = (count, line) => Array.from({ length: count }, (_, at) => `${line(at + 1)}\n`).join('');
  const write = (name, text) => writeFileSync(join(project, name), text);
  write(
    'text.c',
    `/* a comment */\nint main(void)\n{\n\treturn 0;\n}\n${lines(40, (at) => `// line ${at} ${'of text '.repeat(at % 15)}`)}`,
  );
  write(
    'long.txt',
    lines(200, (at) => `row ${at} ${'x'.repeat(at)}`),
  );
  write(
    'coloured.txt',
    lines(30, (at) => `\x1b[3${at % 8};4${(at + 3) % 8}mcoloured ${at}\x1b[0m 日本 👍`),
  );
  write('Cargo.toml', '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n');
  write('src/main.rs', 'fn main() { let unused = 1; println!("hello"); }\n');
  const git = (...words) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    const dates = { GIT_AUTHOR_DATE: '2025-07-01T12:00:00Z', GIT_COMMITTER_DATE: '2025-07-01T12:00:00Z' };
    spawnSync('git', [...identity, ...words], { cwd: project, env: { ...env, HOME: scratch, ...dates } });
  };
  git('init', '-q', '-b', 'main');
  for (let at = 1; at <= 12; at++) {
    write(
      `file-${at}.txt`,
      lines(at * 3, (line) => `${line}`),
    );
    git('add', '.');
    git('commit', '-qm', `Change number ${at}`);
    if (at % 4 === 0) {
      git('checkout', '-qb', `side-${at}`, 'HEAD~1');
      write(`side-${at}.txt`, 'aside\n');
      git('add', '.');
      git('commit', '-qm', `Aside ${at}`);
      git('checkout', '-q', 'main');
      git('merge', '-q', '--no-ff', '-m', `Merge side ${at}`, `side-${at}`);
    }
  }
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
