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
 * does not work outside either (another kernel, an ordinary user), nothing would be shown, and the test says so.
 */
interface Attempt {
  readonly attempt: string;
  /** What the sandbox answers. */
  readonly inside: string;
  readonly options?: readonly string[];
  /** What the probe is given: something that lives outside. */
  readonly at?: 'process' | 'port' | 'abstract' | 'socket' | 'file' | 'readable';
}

const BLOCK = ['--block-net'] as const;
/** Where the file is that may only be read. */
const READABLE = ['--read', '../home/readable'] as const;
const LOOPBACK = ['--block-net=loopback'] as const;
const PORTS = ['--allow-port', '9'] as const;

const ATTEMPTS: readonly Attempt[] = [
  // The network.
  ...['tcp', 'tcp6', 'udp', 'udp6', 'ping', 'mptcp', 'routes', 'sock_diag', 'uevents'].map(
    (attempt): Attempt => ({ attempt, inside: 'EACCES', options: BLOCK }),
  ),
  ...['vsock', 'packets', 'crypto'].map((attempt): Attempt => ({ attempt, inside: 'EAFNOSUPPORT', options: BLOCK })),
  ...['vsock', 'packets', 'crypto'].map((attempt): Attempt => ({ attempt, inside: 'EAFNOSUPPORT' })),
  ...['sock_diag', 'uevents'].map((attempt): Attempt => ({ attempt, inside: 'EPROTONOSUPPORT' })),
  { attempt: 'connect_tcp', at: 'port', inside: 'EACCES', options: BLOCK },
  { attempt: 'connect_tcp', at: 'port', inside: 'EACCES', options: PORTS },
  { attempt: 'bind_tcp', inside: 'EACCES', options: PORTS },
  { attempt: 'connect_by_send', at: 'port', inside: 'ENOTSUP', options: PORTS },
  { attempt: 'connect_by_message', at: 'port', inside: 'ENOTSUP', options: PORTS },
  ...['udp', 'udp6', 'ping', 'mptcp', 'routes'].map((attempt): Attempt => ({ attempt, inside: 'EACCES', options: PORTS })),
  // Sockets of other programs.
  { attempt: 'connect_abstract', at: 'abstract', inside: 'EPERM' },
  { attempt: 'connect_abstract', at: 'abstract', inside: 'EPERM', options: BLOCK },
  ...['connect_path', 'connect_link', 'connect_relative', 'connect_pair_again'].flatMap((attempt): Attempt[] => [
    { attempt, at: 'socket', inside: 'EACCES' },
    { attempt, at: 'socket', inside: 'EACCES', options: BLOCK },
  ]),
  { attempt: 'connect_root_link', at: 'socket', inside: 'ELOOP' },
  { attempt: 'send_from_pair', at: 'socket', inside: 'EISCONN' },
  { attempt: 'send_message_from_pair', at: 'socket', inside: 'EISCONN' },
  { attempt: 'send_from_pair', at: 'socket', inside: 'EACCES', options: BLOCK },
  { attempt: 'local_datagrams', inside: 'EACCES' },
  { attempt: 'local_raw', inside: 'EACCES' },
  // By way of another machine, though the address is this one's: EXDEV says that the socket sends by the loopback device alone.
  { attempt: 'source_route', at: 'port', inside: 'EPERM', options: LOOPBACK },
  { attempt: 'segment_route', at: 'port', inside: 'EXDEV', options: LOOPBACK },
  { attempt: 'plain_route', at: 'port', inside: 'EXDEV', options: LOOPBACK },
  // Around the filter.
  { attempt: 'io_uring', inside: 'EPERM' },
  { attempt: 'foreign_table', inside: 'SIGSYS' },
  { attempt: 'x32_table', inside: 'ENOSYS' },
  // Namespaces and mounts.
  { attempt: 'user_namespace_by_clone3', inside: 'ENOSYS' },
  ...[
    'user_namespace',
    'user_namespace_by_clone',
    'time_namespace',
    'mount_namespace',
    'network_namespace',
    'own_namespace_again',
    'mount_it',
    'unmount_it',
    'new_mount',
    'clone_mount',
  ].map((attempt): Attempt => ({ attempt, inside: 'EPERM' })),
  // The kernel's inside.
  ...[
    'keyring',
    'add_key',
    'request_key',
    'bpf_map',
    'user_faults',
    'perf',
    'kernel_log',
    'tree_events',
    'segments',
    'by_handle',
  ].map((attempt): Attempt => ({ attempt, inside: 'EPERM' })),
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
  ].map((attempt): Attempt => ({ attempt, at: 'process', inside: 'EPERM' })),
  ...[
    'advise_it',
    'memory_file',
    'environment_file',
    'root_directory',
    'working_directory',
    'descriptor_file',
    'map_of_memory',
    'oom_score',
  ].map((attempt): Attempt => ({ attempt, at: 'process', inside: 'EACCES' })),
];

/** On a terminal: letters that the probe types would be read by the user's shell. */
const TYPED = ['sti', 'sti_high_bits', 'sti_bit_32', 'tioclinux'];

const CASES = ATTEMPTS.flatMap((attempt) =>
  ['run', 'wrap'].map((verb) => ({ ...attempt, verb, options: attempt.options ?? [] })),
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

  const run = async (prefix: readonly string[], words: readonly string[]): Promise<string> => {
    const [file = '', ...rest] = [...prefix, executable, ...words];
    const { stdout } = await runProgram(world, [file, ...rest]);
    return nameResult(stdout);
  };

  test.for(CASES)('under $verb $options: $attempt gets $inside', async ({ attempt, at, inside, options, verb }, context) => {
    const words = [attempt, ...(at === undefined ? [] : [places[at]])];
    const outside = await run([], words);
    if (outside === inside) context.skip(`fails outside too: ${outside}`);
    if (isRefusedOutside(outside)) context.skip(`shows nothing: it fails outside with ${outside}`);

    expect(await run([world.executable, verb, ...options, '--allow-cwd', '--'], words)).toBe(inside);
  });

  test.for(TYPED.flatMap((attempt) => ['run', 'wrap'].map((verb) => ({ attempt, verb }))))(
    'under $verb on a terminal: $attempt gets EPERM',
    async ({ attempt, verb }, context) => {
      needCommands(context, 'script');
      const onTerminal = async (prefix: string): Promise<string> => {
        const { stdout } = await runProgram(world, ['script', '-qec', `${prefix} ./escape-probe ${attempt}`, '/dev/null']);
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
