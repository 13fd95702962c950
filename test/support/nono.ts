import { type ChildProcess, spawn } from 'node:child_process';
import type { World } from './world.ts';

/** Longer than any command that works, shorter than the test's own limit, so that the output of one that hangs is seen. */
const TIMEOUT_MS = 45_000;

export interface Outcome {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  /** The world's project by default. */
  readonly cwd?: string;
  /** Added to the world's environment; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What standard input holds; nothing by default. */
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Leaves standard input open: whoever started it ends it. */
  readonly keepsInput?: boolean;
}

/** A started nono without a terminal: its streams are pipes. */
export interface Running {
  readonly child: ChildProcess;
  /** Settles when it has ended and its output is complete. */
  readonly ended: Promise<Outcome>;
  /** What came on stdout so far. */
  stdout(): string;
  stderr(): string;
}

/** Starts dist/nono with `words` in the world. */
export function startNono(world: World, words: readonly string[], options: CallOptions = {}): Running {
  return start(world, [world.executable, ...words], options);
}

/** Runs dist/nono to its end. */
export function runNono(world: World, words: readonly string[], options: CallOptions = {}): Promise<Outcome> {
  return startNono(world, words, options).ended;
}

/** Runs another program in the world, as the world's user. */
export function runProgram(world: World, words: readonly [string, ...string[]], options: CallOptions = {}): Promise<Outcome> {
  return start(world, words, options).ended;
}

function start(
  world: World,
  words: readonly string[],
  { cwd, environment, input, timeoutMs = TIMEOUT_MS, keepsInput = false }: CallOptions,
): Running {
  const [file = '', ...rest] = [...world.asUser, ...words];
  const child = spawn(file, rest, {
    cwd: cwd ?? world.project,
    env: { ...world.environment, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  // A command that does not read its input closes the pipe before we have written it.
  child.stdin.on('error', () => undefined);
  if (!keepsInput) child.stdin.end(input);
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));
  const text = (name: 'stdout' | 'stderr') => Buffer.concat(output[name]).toString('utf8');
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout: text('stdout'), stderr: text('stderr') }));
  });
  return { child, ended, stdout: () => text('stdout'), stderr: () => text('stderr') };
}
