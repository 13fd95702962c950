import type { Bytes } from '../../bytes.ts';
import { type Access, DEVICE, type Network, type PathRule, type Plan } from '../plan.ts';
import { ACCESS_FILE, ACCESS_FS, ACCESS_NET, accessFsOf, SCOPE } from './landlock-uapi.ts';
import type { MediatedBy } from './mediation.ts';

/** The newest ABI that this encoder knows; a newer kernel is asked for what this one has. */
export const NEWEST_ABI = 7;

/** The first ABI that knows TCP ports. */
export const ABI_WITH_PORTS = 4;

/** From here on Landlock itself keeps signals inside. */
export const ABI_WITH_SIGNALS = 6;

/** The arguments of landlock_create_ruleset(2) and landlock_add_rule(2), as numbers. */
export interface LandlockRuleset {
  readonly handledFs: number;
  readonly handledNet: number;
  readonly scoped: number;
  readonly rules: readonly LandlockRule[];
  readonly ports: readonly PortRule[];
}

/** A path and LANDLOCK_ACCESS_FS_* below it. */
export interface LandlockRule {
  readonly path: Bytes;
  readonly rights: number;
  /** A system path that went away since the plan was made is skipped; a grant that did is a failure. */
  readonly isRequired: boolean;
}

/** What may be done with one TCP port. */
export interface PortRule {
  readonly port: number;
  readonly rights: number;
}

/** Something that the plan asks for and this kernel's Landlock cannot do. */
export interface Gap {
  readonly what: string;
  /** The first kernel whose Landlock does it. */
  readonly kernel: string;
}

const READ_RIGHTS = ACCESS_FS.readFile | ACCESS_FS.readDir | ACCESS_FS.execute;

/** Everything but makeChar and makeBlock: a device node made by root would lead around every rule. */
const WRITE_RIGHTS =
  ACCESS_FS.writeFile |
  ACCESS_FS.truncate |
  ACCESS_FS.removeDir |
  ACCESS_FS.removeFile |
  ACCESS_FS.makeDir |
  ACCESS_FS.makeReg |
  ACCESS_FS.makeSock |
  ACCESS_FS.makeFifo |
  ACCESS_FS.makeSym |
  ACCESS_FS.refer;

/** A device is opened and controlled, never run or replaced. */
const CONTROL_RIGHTS = ACCESS_FS.ioctlDev;

/**
 * Turns a plan into the rules of one Landlock ABI. Every right of the ABI is handled, so whatever no
 * rule gives is refused, rights that no rule ever gives included.
 *
 * @param abi What the kernel answered, at least 1.
 */
export function encodeLandlock(plan: Pick<Plan, 'rules' | 'network'>, abi: number): LandlockRuleset {
  const known = Math.min(abi, NEWEST_ABI);
  const handledFs = accessFsOf(known);
  return {
    handledFs,
    handledNet: known >= ABI_WITH_PORTS ? HANDLED_NET[plan.network.mode] : 0,
    scoped: known >= 6 ? SCOPE.abstractUnixSocket | SCOPE.signal : 0,
    rules: encodeRules(plan.rules, handledFs),
    ports: portRules(plan.network),
  };
}

/**
 * What Landlock is to refuse without a rule. With --block-net there is no socket to connect in the first place; this is for
 * one that was handed in. A socket may have any address where only the loopback device reaches it.
 */
const HANDLED_NET: Readonly<Record<Network['mode'], number>> = {
  allowed: 0,
  blocked: ACCESS_NET.bindTcp | ACCESS_NET.connectTcp,
  loopback: ACCESS_NET.connectTcp,
  ports: ACCESS_NET.bindTcp | ACCESS_NET.connectTcp,
};

/** A port in both lists has both rights. */
function portRules(network: Network): readonly PortRule[] {
  if (network.mode !== 'ports') return [];
  return [
    ...network.connect.map((port) => ({ port, rights: ACCESS_NET.connectTcp })),
    ...network.bind.map((port) => ({ port, rights: ACCESS_NET.bindTcp })),
  ];
}

/** In one loop: root has a rule for nearly each name of /etc, and a call for each costs a start more than all that is done in it. */
function encodeRules(rules: readonly PathRule[], handledFs: number): readonly LandlockRule[] {
  const encoded: LandlockRule[] = [];
  for (const { path, isDirectory, access, origin } of rules) {
    const rights = rightsOf(access) & handledFs & (isDirectory ? handledFs : ACCESS_FILE);
    if (rights !== 0) encoded.push({ path, rights, isRequired: origin === 'grant' || origin === 'temporary' });
  }
  return encoded;
}

/** A terminal that is made after the plan, as a rule beside those of the plan. @param handledFs Of its rules. */
export function terminalRule(path: Bytes, handledFs: number): LandlockRule {
  return { path, rights: rightsOf(DEVICE) & handledFs & ACCESS_FILE, isRequired: false };
}

function rightsOf({ read, write, control }: Access): number {
  return (read ? READ_RIGHTS : 0) | (write ? WRITE_RIGHTS : 0) | (control ? CONTROL_RIGHTS : 0);
}

/** LANDLOCK_MAX_NUM_LAYERS of security/landlock/limits.h: landlock_restrict_self(2) answers E2BIG. */
export const NESTED_TOO_DEEP =
  'Start it with fewer sandboxes around it: the kernel takes 16 of Landlock inside each other, and nono needs one or two';

/** The first ABI under which a process can be in a domain that forbids it nothing (ABI 1 forbids renaming everywhere). */
export const ABI_WITH_MARK = 2;

/**
 * What an ABI leaves open that the sandbox promises to close and that neither the filter nor the mediator closes in its place.
 * Who mediates inside another nono does it for that one's tree.
 */
export function landlockGaps(abi: number): readonly Gap[] {
  return abi < ABI_WITH_MARK ? [{ what: 'signals to processes outside', kernel: '5.19' }] : [];
}

/** What the kernel really took, for the record and for whoever asks later. */
export interface Enforced {
  readonly landlock_abi: number;
  readonly filesystem: true;
  /** By Landlock from ABI 3 on, before by the filter. */
  readonly truncate: true;
  /** By Landlock from ABI 5 on, before by the filter. */
  readonly device_ioctl: true;
  /** By Landlock from ABI 6 on, before by this sandbox's own mediation. */
  readonly signals: boolean;
  /** By mediation: nobody connects to one. */
  readonly abstract_sockets: true;
  readonly no_new_privs: true;
  /** The system call filter; with `--block-net` it is what blocks. */
  readonly seccomp: true;
  /** Connecting to sockets in the file system, by this sandbox's own grants. */
  readonly local_sockets: boolean;
  /** Mode, owner, times and extended attributes, by this sandbox's own grants. */
  readonly metadata: boolean;
  /** Who mediates what no rule decides: this sandbox, or that of a nono around it, by that one's grants. */
  readonly mediation: MediatedBy;
  /** What was asked for and is not enforced; empty unless `--best-effort` was given. */
  readonly missing: readonly string[];
}

/** The report that goes with encodeLandlock() of the same ABI. */
export function enforcedBy(abi: number, mediation: MediatedBy): Enforced {
  return {
    landlock_abi: abi,
    filesystem: true,
    truncate: true,
    device_ioctl: true,
    signals: abi >= ABI_WITH_SIGNALS || (abi >= ABI_WITH_MARK && mediation === 'own'),
    abstract_sockets: true,
    no_new_privs: true,
    seccomp: true,
    local_sockets: mediation === 'own',
    metadata: mediation === 'own',
    mediation,
    missing: landlockGaps(abi).map(({ what }) => what),
  };
}
