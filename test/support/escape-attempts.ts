/**
 * Ways out of the sandbox, each of which is tried outside first, in the same place and by the same user. Where it
 * does not work outside either (another kernel), nothing would be shown, and the test says so.
 */
export interface Attempt {
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

export const ATTEMPTS: readonly Attempt[] = [
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
  ...['raw', 'raw6'].flatMap((attempt): Attempt[] => [
    { attempt, inside: 'EACCES', options: BLOCK, capability: 'net_raw' },
    { attempt, inside: 'EPERM', capability: 'net_raw' },
  ]),
  ...[BLOCK, PORTS].flatMap((options) =>
    ['connect_mapped', 'connect_by_first_write'].map((attempt): Attempt => ({ attempt, at: 'port', inside: 'EACCES', options })),
  ),
  { attempt: 'listen_anywhere', inside: 'EACCES', options: PORTS },
  { attempt: 'listen_after_connect', inside: 'EISCONN', options: [...PORTS, '--allow-bind', '60321'] },
  ...['connect_high_bits', 'connect_long'].map((attempt): Attempt => ({ attempt, at: 'port', inside: 'EACCES', options: PORTS })),
  { attempt: 'bind_unspecified', inside: 'EACCES', options: PORTS },
  { attempt: 'listen_by_device', inside: 'EACCES', options: LOOPBACK },
  { attempt: 'listen_beside_bind', inside: 'EACCES', options: LOOPBACK },
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
  { attempt: 'segment_route', at: 'port', inside: 'EPERM', options: LOOPBACK },
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
  ...['process_namespace', 'name_namespace', 'message_namespace', 'group_namespace', 'message_namespace_by_clone'].map(
    (attempt): Attempt => ({ attempt, inside: 'EPERM', capability: 'sys_admin' }),
  ),
  // The kernel's inside.
  ...['port_level', 'port_access'].map((attempt): Attempt => ({ attempt, inside: 'EPERM' })),
  ...['module_removed', 'module_loaded', 'module_given'].map(
    (attempt): Attempt => ({ attempt, inside: 'EPERM', capability: 'sys_module' }),
  ),
  { attempt: 'no_accounting', inside: 'EPERM', capability: 'sys_pacct' },
  { attempt: 'next_kernel', inside: 'EPERM', capability: 'sys_boot' },
  { attempt: 'old_quotas', inside: 'EPERM', capability: 'sys_admin' },
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
  { attempt: 'change_flags_by_descriptor', at: 'readable', inside: 'EPERM', options: READABLE },
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
  ...['mode_there', 'mode_of_there', 'attribute_in_proc'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EPERM', options: READABLE }),
  ),
  ...['mode_by_root_link', 'mode_below_descriptor', 'times_by_cwd_link'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'ELOOP', options: READABLE }),
  ),
  // By a descriptor that neither reads nor writes, for which Landlock asks nothing.
  { attempt: 'third_way', at: 'readable', inside: 'EACCES' },
  { attempt: 'mode_third_way', at: 'readable', inside: 'EPERM' },
  { attempt: 'lease_third_way', at: 'readable', inside: 'EACCES' },
  { attempt: 'lease', at: 'readable', inside: 'EACCES', options: READABLE },
  { attempt: 'compare_content', at: 'readable', inside: 'EPERM' },
  { attempt: 'file_capability', at: 'file', inside: 'EPERM', capability: 'setfcap' },
  { attempt: 'trusted_attribute', at: 'file', inside: 'EPERM', capability: 'sys_admin' },
  ...['read_by_descriptor', 'execute_it', 'execute_by_descriptor'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES' }),
  ),
  { attempt: 'rename_into', at: 'readable', inside: 'EACCES', options: READABLE },
  { attempt: 'shared_memory', inside: 'EACCES' },
  // Files outside: what is made, cut, linked and exchanged there, also by the kernel.
  ...['bind_outside', 'fifo_outside', 'temporary_outside', 'dump_core', 'truncate_path', 'truncate_by_open'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES', options: READABLE }),
  ),
  ...['directory_outside', 'link_outside', 'remove_outside', 'reopen_to_write', 'reopen_from_path'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES', options: READABLE }),
  ),
  ...['truncate_for_nothing', 'write_it', 'exchange', 'rename_within'].map(
    (attempt): Attempt => ({ attempt, at: 'readable', inside: 'EACCES', options: READABLE }),
  ),
  ...['link_into', 'link_by_descriptor', 'link_by_nothing'].map(
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
