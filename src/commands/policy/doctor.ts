import { type Bytes, displayBytes, textFromBytes } from '../../bytes.ts';
import { readConfig } from '../../config/config.ts';
import { configPath } from '../../config/config-path.ts';
import { listProfiles, resolveProfile } from '../../config/profiles.ts';
import { EXIT, NonoError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { checkKernel, readLine } from './check-kernel.ts';
import { type Check, checksResult } from './checks.ts';

const OLDER_STATE = '.local/state/nono' as Bytes;

/** Everything that can keep nono from working here, each with ok or the way out. */
export async function execute({ flags }: ParsedCall, context: Context): Promise<CommandResult> {
  const checks = [
    ...(await checkKernel(context)),
    ...checkSurroundings(context),
    checkState(context),
    checkTerminal(context),
    checkConfig(context),
    ...checkProfiles(context),
    ...checkOlderTool(context),
  ];
  return checksResult(checks, flags.has('json'), EXIT.failure);
}

/** What people run nono in, and what has to be allowed there. */
function checkSurroundings(context: Context): readonly Check[] {
  const { files, environment } = context;
  const exists = (path: string) => files.stat(path as Bytes) !== undefined;
  const found: Check[] = [];
  if (environment.has('KUBERNETES_SERVICE_HOST' as Bytes))
    found.push({
      name: 'container',
      status: 'ok',
      detail: 'Kubernetes',
      fix: 'the RuntimeDefault profile of recent runtimes lets Landlock and seccomp through; NONO_HOME on a volume keeps sessions',
    });
  else if (exists('/.dockerenv'))
    found.push({
      name: 'container',
      status: 'ok',
      detail: 'Docker',
      fix: 'Docker 23 and later let Landlock through; no capability and no --privileged is needed; mount ~/.nono to keep sessions',
    });
  else if (exists('/run/.containerenv'))
    found.push({ name: 'container', status: 'ok', detail: 'Podman', fix: 'no option is needed; mount ~/.nono to keep sessions' });
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

function checkState({ files, stateDirectory, uid }: Context): Check {
  const name = 'state directory';
  const shown = displayBytes(stateDirectory);
  return checkBy(name, () => {
    using state = openStateDirectory(files, stateDirectory, uid, { create: false });
    return state === undefined ? `${shown}, made when it is needed` : shown;
  });
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
    if (files.stat(path) === undefined) return `no ${shown}, every setting has its default`;
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

/** Kept apart from ours, and never touched. */
function checkOlderTool({ files, homeDirectory }: Context): readonly Check[] {
  const path = joinPath(homeDirectory, OLDER_STATE);
  if (files.stat(path) === undefined) return [];
  return [
    {
      name: 'older state',
      status: 'ok',
      detail: `${textFromBytes(path)} is of another nono; this one neither reads nor changes it`,
    },
  ];
}

function checkBy(name: string, look: () => string): Check {
  try {
    return { name, status: 'ok', detail: look() };
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    const [detail = '', ...more] = error.message.split('\n');
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
    return { name, status: 'missing', detail: `${detail}${rest}`, ...(error.hint === undefined ? {} : { fix: error.hint }) };
  }
}
