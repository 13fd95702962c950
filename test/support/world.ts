import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The conventional account that owns nothing. */
const NOBODY = 65534;

export const BUILT_EXECUTABLE = resolve(import.meta.dirname, '../../dist/nono');

/** A machine's worth of surroundings for one test, all of it in one directory that goes with the test. */
export interface World extends Disposable {
  readonly directory: string;
  readonly home: string;
  /** An empty directory to work in, outside the home. */
  readonly project: string;
  /** NONO_HOME's default place. */
  readonly state: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly executable: string;
  /** The words that go before a command so that it runs as this world's user. */
  readonly asUser: readonly string[];
}

interface WorldOptions {
  /** Runs everything as an ordinary user; only root can. */
  readonly ordinaryUser?: boolean;
  /** Which one. */
  readonly uid?: number;
  /** The directory that it is made in: that of temporary files by default. */
  readonly place?: string;
  /** Of this one the world has a link or a copy of its own, so that /proc tells whose processes nono's are. */
  readonly ownExecutable?: string;
}

export function canBecomeOrdinaryUser(): boolean {
  return process.getuid?.() === 0;
}

/** Who a test is run as: whoever runs the tests and, when that is root, an ordinary user too. */
export const USERS = [
  { user: 'the caller', ordinaryUser: false },
  ...(canBecomeOrdinaryUser() ? [{ user: 'an ordinary user', ordinaryUser: true }] : []),
];

/**
 * Makes a home, a project and an environment that holds nothing of the caller's but PATH.
 *
 * The path is short, since addresses of sockets are, and has its links resolved, since nono shows such paths.
 */
export function createWorld({ ordinaryUser = false, uid = NOBODY, place = tmpdir(), ownExecutable }: WorldOptions = {}): World {
  const directory = realpathSync(mkdtempSync(join(place, 'nono-t-')));
  const home = join(directory, 'home');
  const project = join(directory, 'project');
  for (const path of [home, project]) mkdirSync(path);
  let executable = BUILT_EXECUTABLE;
  if (ownExecutable !== undefined) {
    executable = join(directory, 'nono');
    linkOrCopy(ownExecutable, executable);
  }
  if (ordinaryUser) {
    // The checkout may lie below root's home, where this user cannot go.
    executable = join(directory, 'nono');
    copyFileSync(BUILT_EXECUTABLE, executable);
    chmodSync(executable, 0o755);
    for (const path of [directory, home, project]) chownSync(path, uid, uid);
  }
  return {
    directory,
    home,
    project,
    state: join(home, '.nono'),
    environment: {
      HOME: home,
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      SHELL: '/bin/sh',
    },
    executable,
    asUser: ordinaryUser ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'] : [],
    [Symbol.dispose]() {
      endSessions(join(home, '.nono', 'sessions'));
      // What was just ended may still be writing.
      rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && ['EXDEV', 'EPERM', 'EMLINK'].includes(String(error.code)))) throw error;
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  }
}

/** A test that failed stops no session, and a session outlives whoever started it. */
function endSessions(sessions: string): void {
  if (!existsSync(sessions)) return;
  for (const name of readdirSync(sessions).filter((file) => /^[0-9a-f]{6}\.json$/.test(file))) {
    const pid = /"supervisor_pid":\s*(?<pid>\d+)/.exec(readQuietly(join(sessions, name)))?.groups?.['pid'];
    if (pid === undefined || !readQuietly(`/proc/${pid}/cmdline`).split('\0').includes('__supervise')) continue;
    process.kill(Number(pid), 'SIGKILL');
  }
}

/** '' for what a test has made unreadable, taken away or put something else in the place of, and for a process that has ended. */
function readQuietly(path: string): string {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'latin1') : '';
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'EACCES', 'ESRCH'].includes(String(error.code))) return '';
    throw error;
  }
}
