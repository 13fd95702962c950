import { bytesFromStored, type StoredBytes, storeBytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import type { Access, Plan } from '../sandbox/plan.ts';

/**
 * What the call and its profile share, of a plan, as a record keeps it. All else of the plan is the machine's (system paths, tools, devices) and
 * goes into the digest of the audit log.
 */
export interface Shared {
  readonly paths: readonly SharedPath[];
  /** Sockets outside of them that may be connected to. */
  readonly sockets: readonly StoredBytes[];
  /** TCP ports; empty unless only ports are left of the network. */
  readonly connect_ports: readonly number[];
  readonly bind_ports: readonly number[];
  /** Whether somebody is asked about what is not shared. */
  readonly asks: boolean;
}

interface SharedPath {
  readonly path: StoredBytes;
  readonly access: SharedAccess;
}

type SharedAccess = 'read' | 'write' | 'readwrite';
const ACCESSES: readonly unknown[] = ['read', 'write', 'readwrite'] satisfies readonly SharedAccess[];

export function sharedBy({ rules, sockets, network, asks }: Pick<Plan, 'rules' | 'sockets' | 'network' | 'asks'>): Shared {
  const { connect, bind } = network.mode === 'ports' ? network : { connect: [], bind: [] };
  return {
    paths: collect(rules, ({ path, access, origin }) =>
      origin === 'grant' || origin === 'profile' ? [{ path: storeBytes(path), access: accessName(access) }] : [],
    ),
    sockets: sockets.map(storeBytes),
    connect_ports: connect,
    bind_ports: bind,
    asks,
  };
}

function accessName({ read, write }: Access): SharedAccess {
  if (read && write) return 'readwrite';
  return write ? 'write' : 'read';
}

/** Whether what a record says is of that form. */
export function isShared(value: unknown): value is Shared {
  if (typeof value !== 'object' || value === null) return false;
  const { paths, sockets, connect_ports, bind_ports, asks } = value as Readonly<Record<string, unknown>>;
  return (
    isListOf(paths, isSharedPath) &&
    isListOf(sockets, (socket) => bytesFromStored(socket) !== undefined) &&
    isListOf(connect_ports, Number.isSafeInteger) &&
    isListOf(bind_ports, Number.isSafeInteger) &&
    typeof asks === 'boolean'
  );
}

function isListOf(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isSharedPath(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('path' in value) || !('access' in value)) return false;
  return bytesFromStored(value.path) !== undefined && ACCESSES.includes(value.access);
}
