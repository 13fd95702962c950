import { type Bytes, displayBytes } from '../../bytes.ts';
import { readConfig } from '../../config/config.ts';
import { configPath, mayBeThere } from '../../config/config-path.ts';
import { listProfiles, resolveProfile } from '../../config/profiles.ts';
import { EXIT, isErrno, SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import { formatSize } from '../../ui/size.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { checkKernel, readLine } from './check-kernel.ts';
import { checkSockets, checkState, checkTemporary, nearestThere } from './check-state.ts';
import { type Check, checkBy, checksResult } from './checks.ts';

const OLDER_STATE = '.local/state/nono' as Bytes;
/** What the nono in Rust takes options from. */
const OLDER_VARIABLES = [
  'NONO_ALLOW',
  'NONO_BLOCK_NET',
  'NONO_PROFILE',
  'NONO_CAPABILITY_ELEVATION',
  'NONO_THEME',
] as readonly string[] as readonly Bytes[];
const PTMX = '/dev/ptmx' as Bytes;
/** Below it a snapshot of an ordinary project may not fit. */
const FREE_BYTES_MINIMUM = 1024 ** 3;

/** Everything that can keep nono from working here, each with ok or the way out. */
export async function execute({ flags }: ParsedCall, context: Context): Promise<CommandResult> {
  const checks = [
    ...(await checkKernel(context)),
    ...checkSurroundings(context),
    checkState(context),
    await checkSockets(context),
    await checkDisk(context),
    checkTerminal(context),
    await checkPseudoTerminals(context),
    checkTemporary(context),
    checkConfig(context),
    ...checkProfiles(context),
    ...checkOlderTool(context),
  ];
  return checksResult(checks, flags.has('json'), EXIT.failure);
}

/** What people run nono in, and what has to be allowed there. */
function checkSurroundings(context: Context): readonly Check[] {
  const { files, environment } = context;
  const exists = (path: string) => isSeen(files, path as Bytes);
  const found: Check[] = [];
  if (environment.has('KUBERNETES_SERVICE_HOST' as Bytes))
    found.push({
      name: 'container',
      status: 'ok',
      detail: 'Kubernetes',
      fix: 'the RuntimeDefault profile of recent runtimes lets Landlock and seccomp through; NONO_HOME=/VOLUME/nono keeps sessions',
    });
  else if (exists('/.dockerenv'))
    found.push({
      name: 'container',
      status: 'ok',
      detail: 'Docker',
      fix: 'Docker 23 and later let Landlock through; no capability and no --privileged is needed; NONO_HOME=/VOLUME/nono keeps sessions',
    });
  else if (exists('/run/.containerenv'))
    found.push({
      name: 'container',
      status: 'ok',
      detail: 'Podman',
      fix: 'no option is needed; NONO_HOME=/VOLUME/nono keeps sessions',
    });
  if (
    readLine(context, '/proc/sys/kernel/osrelease' as Bytes)
      ?.toLowerCase()
      .includes('microsoft') === true
  )
    found.push({
      name: 'WSL2',
      status: 'ok',
      detail: 'Windows Subsystem for Linux',
      fix: 'where Landlock is missing, see whether .wslconfig has a kernel or an lsm= list without it; files of /mnt/c are slow to track',
    });
  return found;
}

async function checkDisk(context: Context): Promise<Check> {
  const path = nearestThere(context.files, context.stateDirectory);
  const freeBytes = await context.loadDiskSpace();
  let free: number | undefined;
  try {
    free = freeBytes(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { name: 'disk', status: 'ok', detail: `nobody may ask how full it is: ${error.message}` };
  }
  if (free === undefined) return { name: 'disk', status: 'ok', detail: 'its file system does not say how full it is' };
  const detail = `${formatSize(free)} free for snapshots`;
  if (free >= FREE_BYTES_MINIMUM) return { name: 'disk', status: 'ok', detail };
  return { name: 'disk', status: 'limited', detail, fix: 'make room: nono rollback cleanup --keep 5, nono prune' };
}

/** Without them no session has a terminal of its own: in a root directory made by hand they are easily forgotten. */
async function checkPseudoTerminals(context: Context): Promise<Check> {
  const name = 'pseudo-terminals';
  const fix = 'mount devpts on /dev/pts with ptmxmode=0666 and make /dev/ptmx a link to pts/ptmx';
  const tryTerminal = await context.loadTerminalTrial();
  try {
    tryTerminal();
    return { name, status: 'ok', detail: displayBytes(PTMX) };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const detail = `none can be made (${error.message}): no run on a terminal, no --detached, no attach`;
    return { name, status: 'limited', detail, fix };
  }
}

function checkTerminal({ terminal, environment }: Context): Check {
  const name = 'terminal';
  const { isStdinTerminal, isStdoutTerminal, isStderrTerminal } = terminal;
  if (!(isStdinTerminal && isStdoutTerminal && isStderrTerminal))
    return {
      name,
      status: 'ok',
      detail: 'none here: a run shares the streams and cannot be attached to; --detached has a terminal',
    };
  const kind = environment.get('TERM' as Bytes) ?? ('' as Bytes);
  if (kind !== '' && kind !== 'dumb') return { name, status: 'ok', detail: displayBytes(kind) };
  return {
    name,
    status: 'limited',
    detail: `TERM is "${displayBytes(kind)}"`,
    fix: 'set TERM, for instance to xterm-256color',
  };
}

function checkConfig({ files, environment, homeDirectory }: Context): Check {
  const path = configPath(environment, homeDirectory);
  const shown = displayBytes(path);
  return checkBy('configuration', () => {
    if (!mayBeThere(files, path)) return `no ${shown}, every setting has its default`;
    readConfig(files, path);
    return shown;
  });
}

function checkProfiles(context: Context): readonly Check[] {
  const places = profilePlaces(context);
  const own = listProfiles(places).filter(({ isBuiltIn }) => !isBuiltIn);
  if (own.length === 0) return [{ name: 'profiles', status: 'ok', detail: 'the built-in ones' }];
  return own.map(({ name, fileName }) =>
    checkBy(`profile ${name}`, () => {
      resolveProfile(name as Bytes, places);
      return fileName;
    }),
  );
}

/** Kept apart from ours: named, and never read or touched. */
function checkOlderTool({ files, environment, homeDirectory, ...context }: Context): readonly Check[] {
  const found: Check[] = [];
  const state = joinPath(homeDirectory, OLDER_STATE);
  if (isSeen(files, state))
    found.push({
      name: 'older state',
      status: 'ok',
      detail: `${displayBytes(state)} is of another nono; this one neither reads nor changes it`,
    });
  const { directory } = profilePlaces({ files, environment, homeDirectory, ...context });
  const profiles = namesIn(files, directory).filter((name) => name.endsWith('.json'));
  if (profiles.length > 0)
    found.push({
      name: 'older profiles',
      status: 'limited',
      detail: `${profiles.map(displayBytes).join(', ')}: profiles of another nono, which are not read`,
      fix: 'write them anew as TOML: nono profile init NAME',
    });
  const variables = OLDER_VARIABLES.filter((name) => environment.has(name));
  if (variables.length > 0)
    found.push({
      name: 'older variables',
      status: 'limited',
      detail: `${variables.join(', ')}: not read, because nothing but the command line widens a sandbox`,
      fix: 'write the option instead, or put it into a profile',
    });
  return found;
}

/** What is in a directory that lets nobody look is of no matter here. */
function isSeen(files: Context['files'], path: Bytes): boolean {
  try {
    return files.stat(path) !== undefined;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

function namesIn(files: Context['files'], path: Bytes): readonly Bytes[] {
  try {
    using directory = files.openDirectory(path);
    return directory.names();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return [];
    throw error;
  }
}
