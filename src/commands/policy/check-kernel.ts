import { type Bytes, displayBytes } from '../../bytes.ts';
import { readBytesFile } from '../../config/text-file.ts';
import { ConfigError, NonoError } from '../../errors.ts';
import { planCall } from '../confinement.ts';
import type { Context, SandboxAdapters } from '../context.ts';
import type { Check } from './checks.ts';
import { landlockChecks } from './landlock-features.ts';
import { probe } from './probe.ts';

const RELEASE = '/proc/sys/kernel/osrelease' as Bytes;
const SECURITY_MODULES = '/sys/kernel/security/lsm' as Bytes;
const SECCOMP_ACTIONS = '/proc/sys/kernel/seccomp/actions_avail' as Bytes;
const ROOT = '/' as Bytes;
/** What every command may read; the smallest of systems has only some of them. */
const SYSTEM_DIRECTORIES = ['/usr', '/usr/bin', '/bin', '/lib'] as readonly string[] as readonly Bytes[];

/** What this kernel can enforce, and whether a sandbox can really be applied here and now. */
export async function checkKernel(context: Context): Promise<readonly Check[]> {
  const adapters = await context.loadSandbox();
  const abi = adapters.host.landlockAbi();
  return [
    { name: 'kernel', status: 'ok', detail: `Linux ${readLine(context, RELEASE) ?? 'of an unknown release'}` },
    checkLandlock(context, abi),
    ...(abi > 0 ? landlockChecks(abi) : []),
    ...checkSeccomp(context),
    ...(abi > 0 ? [await checkTrial(context, adapters)] : []),
  ];
}

function checkLandlock(context: Context, abi: number): Check {
  if (abi > 0) return { name: 'Landlock', status: 'ok', detail: `ABI ${abi}` };
  const modules = readLine(context, SECURITY_MODULES);
  const isListed = modules?.split(',').includes('landlock') === true;
  const reason = isListed
    ? 'it is on, but a container or a filter keeps it from us'
    : 'it is not among the security modules of this kernel';
  return {
    name: 'Landlock',
    status: 'missing',
    detail: reason,
    fix: isListed
      ? 'let the container use landlock_create_ruleset(2): newer Docker and Podman do, else --security-opt seccomp=PROFILE'
      : `boot with lsm=landlock,${modules ?? '…'} on Linux 5.13 or later`,
  };
}

function checkSeccomp(context: Context): readonly Check[] {
  const actions = readLine(context, SECCOMP_ACTIONS)?.split(' ') ?? [];
  const hasFilter = actions.includes('errno');
  const notifies = actions.includes('user_notif');
  return [
    hasFilter
      ? { name: 'system call filter', status: 'ok', detail: 'seccomp' }
      : {
          name: 'system call filter',
          status: 'missing',
          detail: 'this kernel has no seccomp',
          fix: 'use a kernel with CONFIG_SECCOMP_FILTER',
        },
    notifies
      ? { name: 'asking about system calls', status: 'ok', detail: 'seccomp user notification' }
      : {
          name: 'asking about system calls',
          status: 'limited',
          detail: 'no seccomp user notification',
          fix: 'Linux 5.0 or later has it',
        },
  ];
}

/** The proof: a process that confines itself as every command is, and tries one thing that must work and one that must not. */
async function checkTrial(context: Context, adapters: SandboxAdapters): Promise<Check> {
  const name = 'a sandbox, tried';
  try {
    // Nothing is started where it throws.
    adapters.processes.self();
    const results = await tryBoth(context, adapters);
    if (results[0] === null && results[1] === 'EACCES')
      return { name, status: 'ok', detail: 'it was applied, and refused what it has to refuse' };
    return {
      name,
      status: 'missing',
      detail: `it answered ${results.map((result) => result ?? 'yes').join(' and ')}, expected yes and EACCES`,
      fix: 'do not rely on it here, and report this',
    };
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    return { name, status: 'missing', detail: error.message, ...(error.hint === undefined ? {} : { fix: error.hint }) };
  }
}

async function tryBoth(context: Context, adapters: SandboxAdapters) {
  const flags = new Set(['best-effort']);
  const call = { flags, values: new Map(), positionals: [], commandLine: ['sh' as Bytes] };
  const options = { temporaryDirectory: '/tmp/nono-SESSION' as Bytes, setVariables: new Map(), expectsYes: false };
  const { plan } = await planCall(call, { ...context, workingDirectory: ROOT }, adapters.facts, options);
  const rules = plan.rules.filter(({ origin }) => origin !== 'temporary');
  const system = SYSTEM_DIRECTORIES.find((path) => rules.some((rule) => rule.path === path)) ?? ROOT;
  // The home may be missing, closed to its user, or shared by a profile of theirs: what lists the root directory is always there, and no grant can give it.
  const attempts = [
    { call: 'read', path: system },
    { call: 'read', path: ROOT },
  ] as const;
  return probe(attempts, { ...plan, rules }, context, adapters);
}

/** The first line of a file of the kernel; undefined where there is none, or it may not be read. */
export function readLine({ files }: Pick<Context, 'files'>, path: Bytes): string | undefined {
  try {
    const text = readBytesFile(files, path);
    return text === undefined ? undefined : displayBytes((text.split('\n')[0] ?? '') as Bytes).trim();
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
