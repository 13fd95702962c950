import type { Context } from './commands/context.ts';
import type { CommandResult } from './commands/spec.ts';
import { type EarlyProcess, startEarly } from './platform/bun/early-process.ts';
import { SUPERVISOR_PROCESS, SUPERVISOR_ROLE } from './session/supervisor-process.ts';

/** Replaced by the build: version and commit. */
declare const NONO_VERSION: string | undefined;
declare const NONO_COMMIT: string | undefined;

/** Hidden first argument that turns the executable into a process that confines itself as it is told. */
const LAUNCHER_ROLE = '__launch';
/** The same for the guardian, which stands between a supervisor and its command. */
const GUARDIAN_ROLE = '__guard';
/** The same for a process that takes a snapshot. */
const TAKE_ROLE = '__take';
/** The same for a process that takes one checkpoint of a session. */
const CHECKPOINT_ROLE = '__checkpoint';

// picocolors looks at process.stdout, whose first touch loads Node's streams: 9 ms. What it then decides nobody asks it for.
(process as { stdout: unknown }).stdout = undefined;

/** A process that lives as long as this is worth the engine's optimizations, which the build has put off. */
const LONG_LIVED_MS = 200;

const OPTIONS_BEFORE_VERBS: readonly string[] = ['--no-color', '-s', '--silent'];

/** What the runtime has to end takes less. */
const LINGER_MS = 2000;

/** The composition root: finds the role, builds the adapters, prints and sets the exit status. */
async function main(): Promise<void> {
  const [first] = process.argv.slice(2);
  // A timer takes a start longer than what is left of a process that becomes the command.
  if (first !== 'wrap') optimizeAfter(first === TAKE_ROLE || first === 'rollback' || first === 'undo' ? 0 : LONG_LIVED_MS);
  if (first === '--version' || first === '-V') {
    await printVersion();
    return;
  }
  if (first === LAUNCHER_ROLE && process.platform === 'darwin') {
    const { runMacosLauncher } = await import('./platform/macos/launcher.ts');
    runMacosLauncher();
    return;
  }
  if (first === LAUNCHER_ROLE) {
    const { runLauncher } = await import('./platform/linux/launcher.ts');
    runLauncher();
    return;
  }
  if (first === SUPERVISOR_ROLE) {
    const { runSupervisor } = await import('./platform/supervisor-role.ts');
    runSupervisor();
    return;
  }
  if (first === GUARDIAN_ROLE) {
    const { runGuardian } = await import('./platform/linux/guardian.ts');
    runGuardian();
    return;
  }
  if (first === TAKE_ROLE) {
    const { runTake } = await import('./platform/take-role.ts');
    runTake();
    return;
  }
  if (first === CHECKPOINT_ROLE) {
    const { runCheckpoint } = await import('./platform/checkpoint-role.ts');
    runCheckpoint();
    return;
  }
  if (walksManyFiles(process.argv.slice(2, 4))) {
    const { startWithoutOptimizer } = await import('./platform/linux/start-anew.ts');
    startWithoutOptimizer();
  }
  // Before anything is loaded: a supervisor takes as long to start as all that has to be found out for it.
  const isWanted = startsInBackground(process.argv.slice(2));
  await runCommandLine(isWanted ? startEarly(SUPERVISOR_PROCESS) : undefined);
}

/** As far as it can be told at a glance. A supervisor that is not wanted after all ends by itself. */
function startsInBackground(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  if (words[0] !== 'run' || end < 0 || end === words.length - 1) return false;
  const options = words.slice(1, end);
  return options.includes('--detached') && !options.includes('--dry-run') && !options.includes('--help');
}

/** Commands that take long for a large tree, and so little for a small one that starting twice is not seen. */
function walksManyFiles([group, verb]: readonly string[]): boolean {
  return (group === 'rollback' || group === 'undo') && (verb === 'restore' || verb === 'verify');
}

function optimizeAfter(milliseconds: number): void {
  const optimize = () => Bun.unsafe.setJITPolicy(1);
  if (milliseconds === 0) optimize();
  else setTimeout(optimize, milliseconds).unref();
}

function versionText(): string {
  const version = typeof NONO_VERSION === 'string' ? NONO_VERSION : '0.0.0-source';
  const commit = typeof NONO_COMMIT === 'string' ? NONO_COMMIT : '';
  return commit === '' ? version : `${version} (${commit})`;
}

/** Nothing is loaded for it, unless it cannot be written. */
async function printVersion(): Promise<void> {
  try {
    await print({ output: `nono ${versionText()}\n`, exitCode: 0 });
  } catch (error) {
    const { describeFailure } = await import('./platform/start.ts');
    const { text, exitCode } = describeFailure(error);
    await explain(text);
    process.exitCode = exitCode;
  }
}

async function runCommandLine(supervisor: EarlyProcess | undefined): Promise<void> {
  const { runCli, describeFailure, EXIT, createContext, rawArguments } = await import('./platform/start.ts').catch(
    explainRuntime,
  );
  let makeContext: (() => Context) | undefined;
  try {
    const words = rawArguments();
    makeContext = () => createContext(versionText(), supervisor);
    await print(await runCli(words, makeContext, versionText()));
    // All is said: what holds the loop still is a job of the runtime's that a limit of threads kept from beginning.
    setTimeout(() => process.exit(), LINGER_MS).unref();
  } catch (error) {
    const { text, exitCode } = describeFailure(error);
    await explain(text);
    // At once: what failed may have left a timer or a connection, and nobody waits for those any more.
    process.exit(isRunVerb() && exitCode === EXIT.failure ? EXIT.nonoFailed : exitCode);
  }
}

/** What is linked to the kernel's calls is compiled for it, so that nothing of it can be loaded; nor can what words errors elsewhere. */
async function explainRuntime(error: unknown): Promise<never> {
  if (!(error instanceof TypeError && error.message.includes('requires the JIT'))) throw error;
  await explain(
    'Error: Cannot start: nono gets no memory for code that it makes [E_SYSTEM]\n' +
      'Hint: Allow more memory (ulimit -v unlimited; 4 GB do), and memory to execute (MemoryDenyWriteExecute=no in a unit of systemd); unset BUN_JSC_useJIT',
  );
  process.exit(isRunVerb() ? 125 : 1);
}

/** `run`, `wrap` and `shell` keep 1 for the command: nono's own failure is 125 there. */
function isRunVerb(): boolean {
  const verb = process.argv.slice(2).find((word) => !OPTIONS_BEFORE_VERBS.includes(word)) ?? '';
  return ['run', 'wrap', 'shell'].includes(verb);
}

/** Where nobody reads any more, or the file is on a disk that is full, the status says what is left to say. */
async function explain(text: string): Promise<void> {
  try {
    await Bun.write(Bun.stderr, `${text}\n`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

/** A reader that has gone ends the output quietly; the status stays the command's. */
async function print({ output = '', stream, pager, unwritten, exitCode }: CommandResult): Promise<void> {
  process.exitCode = exitCode;
  if (pager !== undefined) {
    const { page } = await import('./platform/bun/pager.ts');
    await page(typeof output === 'string' ? [output] : output, pager, writeOutput);
    return;
  }
  for (const piece of typeof output === 'string' ? [output] : output) {
    if (piece.length > 0 && !(await writeOutput(piece, unwritten))) return;
  }
  for await (const piece of stream ?? []) if (!(await writeOutput(piece))) return;
}

/**
 * Through Bun.write, here and wherever nono writes: the first touch of process.stdout or process.stderr
 * (isTTY included) loads Node's streams, 9 ms of a start that takes 4.
 *
 * @returns false when nobody reads any more.
 */
async function writeOutput(text: string | Uint8Array, hint?: string): Promise<boolean> {
  try {
    await Bun.write(Bun.stdout, text);
    return true;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (reason === 'EPIPE') return false;
    const { NonoError, EXIT } = await import('./platform/start.ts');
    throw new NonoError('E_OUTPUT', EXIT.failure, `Cannot write the output: ${reason}`, { cause: error, hint });
  }
}

// Last: all that is above it is there by then. The bundler makes variables of constants, which are undefined before, without a word.
await main();
