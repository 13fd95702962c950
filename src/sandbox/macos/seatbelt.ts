import type { Bytes } from '../../bytes.ts';
import type { Network, PathRule, Plan } from '../plan.ts';

/** What programs need to start on macOS, readable. Links such as /etc, /tmp and /var are resolved below /private. */
const SYSTEM_DIRECTORIES: readonly string[] = [
  '/System',
  '/Library/Apple',
  '/Library/Frameworks',
  '/Library/Preferences',
  '/Library/Developer',
  '/Applications/Xcode.app',
  '/bin',
  '/sbin',
  '/usr',
  '/opt/homebrew',
  '/opt/local',
  '/nix/store',
  '/private/etc',
  '/private/var/db/timezone',
  '/private/var/db/dyld',
  '/private/var/select',
];

const SYSTEM_FILES: readonly string[] = ['/', '/private', '/private/var', '/dev'];

/** Read, written and controlled by everybody. */
const DEVICES: readonly string[] = [
  '/dev/null',
  '/dev/zero',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
  '/dev/ptmx',
  '/dev/dtracehelper',
];
/** Terminals that the command opens for itself. */
const TERMINALS = '^/dev/ttys[0-9]+$';

/** Services without which the C library cannot look up users, names of hosts, certificates and preferences. */
const MACH_SERVICES: readonly string[] = [
  'com.apple.SystemConfiguration.configd',
  'com.apple.SystemConfiguration.DNSConfiguration',
  'com.apple.bsd.dirhelper',
  'com.apple.cfprefsd.agent',
  'com.apple.cfprefsd.daemon',
  'com.apple.logd',
  'com.apple.system.logger',
  'com.apple.system.notification_center',
  'com.apple.system.opendirectoryd.libinfo',
  'com.apple.system.opendirectoryd.membership',
  'com.apple.trustd',
  'com.apple.trustd.agent',
];

/** Where names are looked up. */
const RESOLVER_SOCKET = '/private/var/run/mDNSResponder';

/** What no rule of the plan may open. Seatbelt, unlike Landlock, can take a part out of a directory. */
interface Denials {
  readonly stateDirectory: Bytes;
}

/**
 * The profile that sandbox_init(3) applies, for one plan: everything is denied that no line allows, and of the lines that
 * fit the last one counts.
 *
 * The language is described nowhere by its maker; names are those of the profiles in /System/Library/Sandbox/Profiles.
 */
export function seatbeltProfile(plan: Pick<Plan, 'rules' | 'network' | 'sockets'>, { stateDirectory }: Denials): Bytes {
  const readable = [...SYSTEM_DIRECTORIES.map(subpath), ...filters(plan.rules, ({ access }) => access.read)];
  const writable = filters(plan.rules, ({ access, origin }) => access.write && origin !== 'device' && !access.control);
  const controlled = filters(plan.rules, ({ access }) => access.control);
  return [
    '(version 1)',
    '(deny default)',
    '(allow process-fork)',
    // Signals and looking at processes: within this sandbox, which all that is started here shares.
    '(allow signal (target same-sandbox))',
    '(allow process-info* (target same-sandbox))',
    '(allow sysctl-read)',
    '(allow pseudo-tty)',
    '(allow ipc-posix-sem)',
    '(allow file-read-metadata)',
    allow(
      'mach-lookup',
      MACH_SERVICES.map((name) => `(global-name ${quote(name)})`),
    ),
    allow('file-read*', SYSTEM_FILES.map(literal)),
    allow('file-read* process-exec file-map-executable', readable),
    allow('file-read* file-write* file-ioctl', [...DEVICES.map(literal), `(regex #"${TERMINALS}")`, ...controlled]),
    allow('file-write*', writable),
    ...networkLines(plan.network),
    // Looking names up is a way out for data: not where the network is blocked.
    allow('network-outbound', [
      ...(plan.network.mode === 'blocked' || plan.network.mode === 'loopback' ? [] : [literal(RESOLVER_SOCKET)]),
      ...plan.sockets.flatMap((path) => [literal(path), subpath(path)]),
    ]),
    // Device nodes would lead around every rule.
    '(deny file-mknod)',
    `(deny file-read* file-write* process-exec ${subpath(stateDirectory)})`,
    '',
  ]
    .filter((line) => line !== NOTHING)
    .join('\n') as Bytes;
}

const NOTHING = '(nothing)';

function allow(operations: string, list: readonly string[]): string {
  return list.length === 0 ? NOTHING : `(allow ${operations}\n  ${list.join('\n  ')})`;
}

function networkLines(network: Network): readonly string[] {
  if (network.mode === 'allowed')
    return ['(allow network-outbound (remote ip))', '(allow network-bind network-inbound (local ip))', '(allow system-socket)'];
  if (network.mode === 'loopback')
    return [
      '(allow network-outbound (remote tcp "localhost:*"))',
      '(allow network-bind network-inbound (local tcp "localhost:*"))',
    ];
  if (network.mode !== 'ports') return [];
  const remote = network.connect.map((port) => `(allow network-outbound (remote tcp "*:${port}"))`);
  const local = network.bind.map((port) => `(allow network-bind network-inbound (local tcp "*:${port}"))`);
  return [...remote, ...local];
}

function filters(rules: readonly PathRule[], isWanted: (rule: PathRule) => boolean): readonly string[] {
  return rules.filter(isWanted).map(({ path, isDirectory }) => (isDirectory ? subpath(path) : literal(path)));
}

function subpath(path: string): string {
  return `(subpath ${quote(path)})`;
}

function literal(path: string): string {
  return `(literal ${quote(path)})`;
}

/** A string of the language: a backslash and a quote end nothing when they are escaped. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}
