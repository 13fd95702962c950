import { type Bytes, bytesFromText } from '../bytes.ts';
import type { Context, SandboxAdapters, TerminalFacts } from '../commands/context.ts';
import { EXIT, isErrno, NonoError } from '../errors.ts';
import { joinPath, resolvePath } from '../paths.ts';
import type { Files } from '../ports/files.ts';
import type { EarlyProcess } from './bun/early-process.ts';
import { createBunHash } from './bun/hash.ts';
import { createLinuxFiles } from './linux/files.ts';
import { readHostName } from './linux/host-name.ts';
import { utcOffsetMinutes } from './linux/local-time.ts';
import { createLinuxPathFacts } from './linux/path-facts.ts';
import { createLinuxProcesses } from './linux/processes.ts';
import { randomHex } from './linux/random.ts';
import { createLinuxSandboxHost } from './linux/sandbox-host.ts';
import { readOnce, readSmallFile, tryWrite } from './linux/small-files.ts';
import { isTerminal, terminalSize } from './linux/terminal.ts';
import { createSystemClock } from './system-clock.ts';

const DEFAULT_COLUMNS = 80;
const ANSWER_BYTES = 256;
const STATE_DIRECTORY = '.nono' as Bytes;
/** Often enough to know that it goes on, seldom enough to be listened to. */
const PLAIN_BETWEEN_MS = 10_000;
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const NO_COLOR_FLAG = '--no-color';

/**
 * The words after the executable, byte for byte: process.argv has lost what is not UTF-8.
 * `--no-color` is for the whole of nono and is taken out.
 */
export function rawArguments(): Bytes[] {
  const words = readList('/proc/self/cmdline');
  // Bun's own view counts the words that the runtime takes for itself, such as the entry of a source run.
  return withoutColourFlag(words.slice(words.length - (process.argv.length - 2)));
}

function withoutColourFlag(words: Bytes[]): Bytes[] {
  if (!words.includes(NO_COLOR_FLAG as Bytes)) return words;
  const end = words.indexOf('--' as Bytes);
  return words.filter((word, at) => word !== NO_COLOR_FLAG || (end >= 0 && at > end));
}

function hasColourFlag(): boolean {
  const at = process.argv.indexOf(NO_COLOR_FLAG);
  const end = process.argv.indexOf('--');
  return at >= 0 && (end < 0 || at < end);
}

/** NUL-separated entries of a file of /proc. */
function readList(path: string): Bytes[] {
  const text = readSmallFile(path);
  return text === '' ? [] : (text.slice(0, text.endsWith('\0') ? -1 : undefined).split('\0') as Bytes[]);
}

/** Gathers what the verbs may know of the world. @param early A process that one of them may want. */
export function createContext(version: string, early?: EarlyProcess): Context {
  const files = createLinuxFiles();
  const environment = readEnvironment();
  const homeDirectory = findHome(files, environment);
  const workingDirectory = findWorkingDirectory(files);
  return {
    files,
    hash: createBunHash(),
    clock: { ...createSystemClock(), utcOffsetMinutes },
    environment,
    workingDirectory,
    homeDirectory,
    stateDirectory: findStateDirectory(environment, homeDirectory, workingDirectory),
    uid: process.getuid?.() ?? 0,
    pid: process.pid,
    get hostName() {
      return readHostName();
    },
    get executable() {
      return bytesFromText(process.execPath);
    },
    version,
    terminal: readTerminalFacts(environment),
    showProgress: (text) => showProgress(text, hasPlainTerminal(environment)),
    notify: (line) => writeLine(`[nono] ${line}\n`),
    sayWhenEnded,
    confirm,
    randomHex,
    loadSandbox: () => Promise.resolve(createSandbox()),
    loadParent: async () => (await import('./parent.ts')).createParent(),
    loadSignals: async () => (await import('./linux/signals.ts')).createLinuxSignals(),
    loadUserTerminal: async () => (await import('./linux/user-terminal.ts')).openLinuxUserTerminal,
    loadTerminalTrial: async () => (await import('./linux/terminal-trial.ts')).tryTerminal,
    readInput: () => Bun.stdin.bytes(),
    loadHookRunner: async (variables) => (await import('./bun/hook.ts')).createHookRunner(variables),
    loadBackground: async () => (await import('./bun/background.ts')).createBunBackground(early),
    loadSockets: async () => (await import('./bun/socket.ts')).createBunSockets(),
    loadDeflate: async () => (await import('./node/deflate.ts')).deflate,
    loadDiskSpace: async () => (await import('./node/disk-space.ts')).freeBytes,
    loadDiskSync: async () => (await import('./linux/disk-sync/sync-disk.ts')).syncDiskInThread,
    loadContentWorkers: async () => (await import('./bun/content-workers.ts')).startContentWorkers,
    loadTakeElsewhere: async () => (await import('./bun/take-process.ts')).takeInProcess,
  };
}

function createSandbox(): SandboxAdapters {
  return {
    facts: createLinuxPathFacts(),
    host: createLinuxSandboxHost(),
    processes: createLinuxProcesses(),
  };
}

function readEnvironment(): ReadonlyMap<Bytes, Bytes> {
  const environment = new Map<Bytes, Bytes>();
  for (const entry of readList('/proc/self/environ')) {
    const at = entry.indexOf('=');
    const name = entry.slice(0, at) as Bytes;
    if (at > 0 && !environment.has(name)) environment.set(name, entry.slice(at + 1) as Bytes);
  }
  return environment;
}

/** The directory's own link, because a name could have been given to another one. */
function findWorkingDirectory(files: Files): Bytes | undefined {
  const path = files.realPath('/proc/self/cwd' as Bytes);
  // A removed directory reads as `/old/place (deleted)`, or as what the name means now.
  if (path === undefined) return undefined;
  const named = files.stat(path);
  const current = files.stat('/proc/self/cwd' as Bytes);
  return named !== undefined && named.inode === current?.inode && named.device === current.device ? path : undefined;
}

/** @throws {NonoError} when HOME says nothing usable: everything sensitive is found from it. */
function findHome(files: Files, environment: ReadonlyMap<Bytes, Bytes>): Bytes {
  const home = environment.get('HOME' as Bytes);
  if (home === undefined || !home.startsWith('/')) {
    throw new NonoError('E_HOME', EXIT.nonoFailed, 'Cannot find the home directory: HOME is not set to an absolute path', {
      hint: 'Set HOME to your home directory',
    });
  }
  try {
    return files.realPath(home) ?? resolvePath('/' as Bytes, home);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'ELOOP', 'ENAMETOOLONG')) throw error;
    throw new NonoError('E_HOME', EXIT.nonoFailed, 'Cannot find the home directory: where HOME leads to cannot be looked at', {
      cause: error,
      hint: 'Set HOME to your home directory',
    });
  }
}

function findStateDirectory(environment: ReadonlyMap<Bytes, Bytes>, home: Bytes, workingDirectory: Bytes | undefined): Bytes {
  const chosen = environment.get('NONO_HOME' as Bytes);
  if (chosen === undefined || chosen === '') return joinPath(home, STATE_DIRECTORY);
  return resolvePath(workingDirectory ?? ('/' as Bytes), chosen);
}

function readTerminalFacts(environment: ReadonlyMap<Bytes, Bytes>): TerminalFacts {
  const isOn = (name: string) => !['', '0', undefined].includes(environment.get(name as Bytes));
  const isPlain = hasPlainTerminal(environment);
  const refusesColour = (environment.get('NO_COLOR' as Bytes) ?? '') !== '' || hasColourFlag() || isPlain;
  // Not by process.stdout.isTTY, whose first touch loads Node's streams.
  const isStdoutTerminal = isTerminal(1);
  const isStderrTerminal = isTerminal(2);
  const hasColour = (isShown: boolean) =>
    !refusesColour && (isOn('CLICOLOR_FORCE') || (isShown && environment.get('CLICOLOR' as Bytes) !== '0'));
  return {
    isStdinTerminal: isTerminal(0),
    isStdoutTerminal,
    isStderrTerminal,
    columns: terminalSize(1)?.columns ?? DEFAULT_COLUMNS,
    colourStdout: hasColour(isStdoutTerminal),
    colourStderr: hasColour(isStderrTerminal),
  };
}

/** Where nothing can, or shall, be drawn over: a terminal that knows no sequences, and whoever has a screen reader follow the lines. */
function hasPlainTerminal(environment: ReadonlyMap<Bytes, Bytes>): boolean {
  const plain = environment.get('NONO_PLAIN' as Bytes) ?? '';
  return environment.get('TERM' as Bytes) === 'dumb' || (plain !== '' && plain !== '0');
}

/** A notice that nobody can read any more is no reason to fail. */
function writeLine(text: string): void {
  tryWrite(2, text);
}

/** What showProgress() has drawn and not taken away. */
let isDrawn = false;
let plainNextMs = 0;

/** Cut to the terminal, since a line that wraps cannot be drawn over. */
function showProgress(text: string | undefined, isPlain: boolean): void {
  if (!isTerminal(2)) return;
  if (isPlain) showPlainly(text);
  else {
    const columns = terminalSize(2)?.columns ?? DEFAULT_COLUMNS;
    listenForInterrupt(text !== undefined);
    writeLine(`\r${text === undefined ? '' : `[nono] ${text}`.slice(0, columns - 1)}\x1b[K`);
  }
}

/** A line of its own every now and then. */
function showPlainly(text: string | undefined): void {
  if (text === undefined || Date.now() < plainNextMs) return;
  plainNextMs = Date.now() + PLAIN_BETWEEN_MS;
  writeLine(`[nono] ${text}\n`);
}

/** Ctrl-C leaves no half of a line behind: it goes first, and the signal then does what it does. */
function listenForInterrupt(isWanted: boolean): void {
  if (isWanted === isDrawn) return;
  isDrawn = isWanted;
  if (isWanted) for (const signal of ENDING_SIGNALS) process.on(signal, endDrawing);
  else for (const signal of ENDING_SIGNALS) process.off(signal, endDrawing);
}

function endDrawing(signal: NodeJS.Signals): void {
  clearDrawing();
  endUnlessHeard(signal);
}

function clearDrawing(): void {
  if (!isDrawn) return;
  writeLine('\r\x1b[K');
  listenForInterrupt(false);
}

/** Who else listens decides what follows; where nobody does, the signal ends us as it would have. */
function endUnlessHeard(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function sayWhenEnded(line: () => string): Disposable {
  const say = (signal: NodeJS.Signals): void => {
    clearDrawing();
    writeLine(`[nono] ${line()}\n`);
    stop();
    endUnlessHeard(signal);
  };
  const stop = () => {
    for (const signal of ENDING_SIGNALS) process.off(signal, say);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, say);
  return { [Symbol.dispose]: stop };
}

/** The terminal is in line mode, so that one read gives one line and the command's input stays where it is. */
function confirm(question: string): boolean {
  writeLine(`[nono] ${question} [y/N] `);
  return /^y(?:es)?$/i.test(readOnce(0, ANSWER_BYTES).trim());
}
