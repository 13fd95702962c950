import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { compileProbe, nameResult } from '../support/probe.ts';
import { needCommands } from '../support/tools.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

/**
 * Ways out of the sandbox, each of which is tried outside first, in the same place and by the same user. Where it
 * does not work outside either (another kernel), nothing would be shown, and the test says so.
 */
interface Attempt {
  readonly attempt: string;
  /** What the sandbox answers. */
  readonly inside: string;
  readonly options?: readonly string[];
  /** What the probe is given: something that lives outside. */
  readonly at?: 'process' | 'port' | 'abstract' | 'socket' | 'file' | 'readable';
  /** What an ordinary user lacks to do it outside, and is given for it, outside and inside alike; a capability as setpriv(1) has it. */
  readonly capability?: string;
  /** What of the machine forbids it, done otherwise in a network namespace: commands of root's before it is tried, outside and inside alike. */
  readonly network?: string;
}

const BLOCK = ['--block-net'] as const;
/** Where the file is that may only be read. */
const READABLE = ['--read', '../home/readable'] as const;
const LOOPBACK = ['--block-net=loopback'] as const;
const PORTS = ['--allow-port', '9'] as const;

/** Where everybody may send echo requests. */
const PINGS = 'echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range';

const ATTEMPTS: readonly Attempt[] = [
  // The network.
  ...['tcp', 'tcp6', 'udp', 'udp6', 'mptcp', 'routes', 'sock_diag', 'uevents'].map(
    (attempt): Attempt => ({ attempt, inside: 'EACCES', options: BLOCK }),
  ),
  ...[BLOCK, PORTS].map((options): Attempt => ({ attempt: 'ping', inside: 'EACCES', options, network: PINGS })),
  ...['vsock', 'packets', 'express', 'crypto'].flatMap((attempt) =>
    [BLOCK, []].map((options): Attempt => ({ attempt, inside: 'EAFNOSUPPORT', options, capability: 'net_raw' })),
  ),
  ...['sock_diag', 'uevents'].map((attempt): Attempt => ({ attempt, inside: 'EPROTONOSUPPORT' })),
  { attempt: 'connect_tcp', at: 'port', inside: 'EACCES', options: BLOCK },
  { attempt: 'connect_tcp', at: 'port', inside: 'EACCES', options: PORTS },
  { attempt: 'bind_tcp', inside: 'EACCES', options: PORTS },
  { attempt: 'connect_by_send', at: 'port', inside: 'ENOTSUP', options: PORTS },
  { attempt: 'connect_by_message', at: 'port', inside: 'ENOTSUP', options: PORTS },
  ...['udp', 'udp6', 'mptcp', 'routes'].map((attempt): Attempt => ({ attempt, inside: 'EACCES', options: PORTS })),
  // Sockets of other programs.
  { attempt: 'connect_abstract', at: 'abstract', inside: 'EPERM' },
  { attempt: 'connect_abstract', at: 'abstract', inside: 'EPERM', options: BLOCK },
  ...['connect_path', 'connect_link', 'connect_relative', 'connect_pair_again'].flatMap((attempt): Attempt[] => [
    { attempt, at: 'socket', inside: 'EACCES' },
    { attempt, at: 'socket', inside: 'EACCES', options: BLOCK },
  ]),
  { attempt: 'connect_root_link', at: 'socket', inside: 'ELOOP' },
  { attempt: 'connect_by_descriptor', at: 'socket', inside: 'ELOOP' },
  { attempt: 'send_from_pair', at: 'socket', inside: 'EISCONN' },
  { attempt: 'send_message_from_pair', at: 'socket', inside: 'EISCONN' },
  { attempt: 'send_from_pair', at: 'socket', inside: 'EACCES', options: BLOCK },
  { attempt: 'local_datagrams', inside: 'EACCES' },
  { attempt: 'local_raw', inside: 'EACCES' },
  // By way of another machine, though the address is this one's: EXDEV says that the socket sends by the loopback device alone.
  { attempt: 'source_route', at: 'port', inside: 'EPERM', options: LOOPBACK, capability: 'net_raw' },
  { attempt: 'segment_route', at: 'port', inside: 'EXDEV', options: LOOPBACK },
  { attempt: 'plain_route', at: 'port', inside: 'EXDEV', options: LOOPBACK },
  // Around the filter.
  { attempt: 'io_uring', inside: 'EPERM' },
  { attempt: 'foreign_table', inside: 'SIGSYS' },
  { attempt: 'x32_table', inside: 'ENOSYS' },
  // Namespaces and mounts.
  { attempt: 'user_namespace_by_clone3', inside: 'ENOSYS' },
  ...['user_namespace', 'user_namespace_by_clone', 'time_namespace'].map((attempt): Attempt => ({ attempt, inside: 'EPERM' })),
  ...['mount_namespace', 'network_namespace', 'own_namespace_again', 'mount_it', 'unmount_it', 'new_mount', 'clone_mount'].map(
    (attempt): Attempt => ({ attempt, inside: 'EPERM', capability: 'sys_admin' }),
  ),
  ...[
    'put_root_elsewhere',
    'mount_attributes',
    'mount_moved',
    'mount_configured',
    'mount_made',
    'mount_picked',
    'mount_cloned_anew',
  ].map((attempt): Attempt => ({ attempt, inside: 'EPERM', capability: 'sys_admin' })),
  // The kernel's inside.
  ...['keyring', 'add_key', 'request_key', 'user_faults', 'perf', 'tree_events', 'segments'].map(
    (attempt): Attempt => ({ attempt, inside: 'EPERM' }),
  ),
  { attempt: 'bpf_map', inside: 'EPERM', capability: 'bpf' },
  { attempt: 'ring_entered', inside: 'EPERM' },
  { attempt: 'ring_registered', inside: 'EPERM' },
  ...['rename_machine', 'no_swap', 'quotas'].map((attempt): Attempt => ({ attempt, inside: 'EPERM', capability: 'sys_admin' })),
  { attempt: 'restart', inside: 'EPERM', capability: 'sys_boot' },
  { attempt: 'change_root', inside: 'EPERM', capability: 'sys_chroot' },
  { attempt: 'make_device', inside: 'EACCES', capability: 'mknod' },
  { attempt: 'core_pattern', inside: 'EACCES' },
  { attempt: 'kernel_messages', inside: 'EACCES', capability: 'syslog' },
  { attempt: 'whole_disk', inside: 'EACCES', capability: 'dac_read_search' },
  { attempt: 'kernel_log', inside: 'EPERM', capability: 'syslog' },
  { attempt: 'by_handle', inside: 'EPERM', capability: 'dac_read_search' },
  { attempt: 'change_flags', at: 'file', inside: 'EPERM' },
  { attempt: 'change_flags_by_path', at: 'file', inside: 'EPERM' },
  // What Landlock has no right for.
  ...[
    'mode_path',
    'mode_link_path',
    'mode_at',
    'mode_at2',
    'mode_at_empty',
    'mode_descriptor',
    'mode_in_proc',
    'mode_relative',
    'owner_path',
    'owner_link',
    'owner_descriptor',
    'owner_at',
    'owner_at_empty',
    'times_old',
    'times_micro',
    'times_at_micro',
    'times_at',
    'times_descriptor',
    'attribute_path',
    'attribute_link',
    'attribute_descriptor',
    'attribute_at',
    'no_attribute_path',
    'no_attribute_link',
    'no_attribute_descriptor',
    'no_attribute_at',
  ].map((attempt): Attempt => ({ attempt, at: 'readable', inside: 'EPERM', options: READABLE })),
  // Files outside: what is made, cut, linked and exchanged there, also by the kernel.
  ...['bind_outside', 'fifo_outside', 'temporary_outside', 'dump_core', 'truncate_path', 'truncate_by_open'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES', options: READABLE }),
  ),
  ...['directory_outside', 'link_outside', 'remove_outside', 'reopen_to_write'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES', options: READABLE }),
  ),
  ...['truncate_for_nothing', 'write_it', 'exchange', 'rename_within'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES', options: READABLE }),
  ),
  ...['link_into', 'link_by_descriptor'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EXDEV', options: READABLE }),
  ),
  // Processes outside.
  ...[
    'attach',
    'read_memory',
    'take_descriptor',
    'signal_it',
    'signal_thread',
    'signal_old_thread',
    'signal_thread_queue',
    'signal_group',
    'signal_queue',
    'signal_by_descriptor',
    'limit_it',
    'take_any_descriptor',
    'compare_it',
    'robust_list',
    'move_its_pages',
    'migrate_it',
    'write_memory',
    'signal_group_by_descriptor',
  ].map((attempt): Attempt => ({ attempt, at: 'process', inside: 'EPERM' })),
  ...[
    'memory_file',
    'environment_file',
    'root_directory',
    'working_directory',
    'descriptor_file',
    'map_of_memory',
    'oom_score',
    'namespace_of_it',
  ].map((attempt): Attempt => ({ attempt, at: 'process', inside: 'EACCES' })),
  { attempt: 'join_it', at: 'process', inside: 'EPERM', capability: 'sys_admin' },
  { attempt: 'advise_it', at: 'process', inside: 'EACCES', capability: 'sys_nice' },
];

/** On a terminal: letters that the probe types would be read by the user's shell. */
const TYPED = ['sti', 'sti_high_bits', 'sti_bit_32', 'tioclinux'];

const CASES = ATTEMPTS.flatMap((attempt) =>
  ['run', 'wrap'].map((verb) => ({ ...attempt, verb, options: attempt.options ?? [], way: attempt })),
);

const probe = compileProbe();
if (probe === undefined) console.warn('No way out of the sandbox is tried: that needs a C compiler');
afterAll(() => probe?.[Symbol.dispose]());

const KINDS = [
  { user: 'the caller', ordinaryUser: false },
  ...(canBecomeOrdinaryUser() ? [{ user: 'an ordinary user', ordinaryUser: true }] : []),
];

describe.runIf(probe !== undefined).for(KINDS)('a hostile command of $user', ({ ordinaryUser }) => {
  let world: World;
  let target: ChildProcess;
  let tcp: Server;
  let executable = '';
  const places = { process: '', port: '', abstract: '', socket: '', file: '', readable: '' };

  beforeAll(async () => {
    world = createWorld({ ordinaryUser });
    executable = probe?.copyTo(world) ?? '';
    places.file = join(world.project, 'own-file');
    // Made by the user itself, so that it is the owner.
    await runProgram(world, ['cp', executable, places.file]);
    await runProgram(world, ['mkdir', join(world.home, 'readable')]);
    places.readable = join(world.home, 'readable/file');
    await runProgram(world, ['cp', executable, places.readable]);
    tcp = await listen();
    places.port = String((tcp.address() as AddressInfo).port);
    places.abstract = `nono-test-${process.pid}-${places.port}`;
    places.socket = join(world.home, 's');
    const [file, ...words] = [...world.asUser, executable, 'serve', places.abstract, places.socket];
    // A process group of its own: the attempts are in the one of the tests.
    target = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    places.process = String(target.pid);
    await new Promise((resolve) => target.stdout?.once('data', resolve));
  });
  afterAll(() => {
    target.kill('SIGKILL');
    tcp.close();
    world[Symbol.dispose]();
  });

  // Those that need the same are tried by one run, one after the other, each in a process of its own.
  const tried = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const result = async (way: Attempt, verb?: string): Promise<string> => {
    const needs = needsOf(way);
    const key = `${verb} ${needs}`;
    const answers =
      tried.get(key) ??
      tryAll(
        ATTEMPTS.filter((other) => needsOf(other) === needs),
        verb,
      );
    tried.set(key, answers);
    return (await answers).get(way.attempt) ?? 'was not tried';
  };
  const tryAll = async (ways: readonly Attempt[], verb?: string): Promise<ReadonlyMap<string, string>> => {
    const [{ options = [], ...needs } = { options: [] }] = ways;
    const prefix = verb === undefined ? [] : [world.executable, verb, ...options, '--allow-cwd', '--'];
    const words = ways.flatMap(({ attempt, at }) => [attempt, at === undefined ? '' : places[at]]);
    const [file = '', ...rest] = [...prefix, executable, 'try', ...words];
    const { stdout } = await runProgram({ ...world, asUser: asAbleUser(world.asUser, needs) }, [file, ...rest]);
    return new Map(
      stdout.split(/^= /m).map((answer) => {
        const end = answer.indexOf('\n');
        return [answer.slice(0, end), nameResult(answer.slice(end))] as const;
      }),
    );
  };

  test.for(CASES)('under $verb $options: $attempt gets $inside', async ({ way, inside, verb }, context) => {
    const outside = await result(way);
    if (outside === inside) context.skip(`fails outside too: ${outside}`);
    if (isRefusedOutside(outside)) context.skip(`shows nothing: it fails outside with ${outside}`);

    expect(await result(way, verb)).toBe(inside);
  });

  test.for(TYPED.flatMap((attempt) => ['run', 'wrap'].map((verb) => ({ attempt, verb }))))(
    'under $verb on a terminal: $attempt gets EPERM',
    async ({ attempt, verb }, context) => {
      needCommands(context, 'script');
      // Where the kernel lets nobody else (dev.tty.legacy_tiocsti).
      const able = { ...world, asUser: asAbleUser(world.asUser, { capability: 'sys_admin' }) };
      const onTerminal = async (prefix: string): Promise<string> => {
        const { stdout } = await runProgram(able, ['script', '-qec', `${prefix} ./escape-probe ${attempt}`, '/dev/null']);
        // The terminal shows what is typed, too.
        return nameResult(/ok|(?:errno|signal) \d+/.exec(stdout)?.[0] ?? stdout);
      };
      const outside = await onTerminal('');
      if (outside === 'EIO') context.skip('this kernel lets nobody type into a terminal');
      expect(['ok', 'ENOTTY']).toContain(outside);

      expect(await onTerminal(`${world.executable} ${verb} --allow-cwd --`)).toBe('EPERM');
    },
  );
});

/** What has to be the same for ways that are tried by one run. */
function needsOf({ options, capability, network }: Attempt): string {
  return JSON.stringify([options, capability, network]);
}

/** The words that make somebody of root who can do it outside; nothing where we are not root. */
function asAbleUser(
  asUser: readonly string[],
  { capability, network }: Pick<Attempt, 'capability' | 'network'>,
): readonly string[] {
  if (!canBecomeOrdinaryUser()) return asUser;
  const surroundings = network === undefined ? [] : ['unshare', '--net', 'sh', '-c', `${network} && exec "$@"`, 'sh'];
  if (asUser.length === 0 || capability === undefined) return [...surroundings, ...asUser];
  const given = [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
  return [...surroundings, ...asUser.slice(0, -1), ...given, '--'];
}

/** ENOKEY, ENODEV and the like say that the kernel did look; these say that it refused. */
function isRefusedOutside(outside: string): boolean {
  return ['EPERM', 'EACCES', 'ENOSYS', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESRCH', 'ENOTTY'].includes(outside);
}

function listen(): Promise<Server> {
  const server = createServer((socket) => socket.end());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(server));
  });
}
