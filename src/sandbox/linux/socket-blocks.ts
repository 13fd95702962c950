import type { Network } from '../plan.ts';
import type { Statement } from './bpf.ts';
import { and, errnoLabel, is, jump, label, loadArgument } from './bpf-words.ts';
import {
  AF,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_2292PKTOPTIONS,
  IPV6_RTHDR,
  NETLINK_ROUTE,
  SOCK,
  SOCK_TYPE_MASK,
} from './seccomp-uapi.ts';

/** Which sockets are made, and which of their options are set. */

/** @param named Where those go that carry an address with each send. */
export function socketpairBlock(named: string): readonly Statement[] {
  return [
    loadArgument(0),
    is('equal', AF.unix, { no: errnoLabel('EAFNOSUPPORT') }),
    loadArgument(1),
    and(SOCK_TYPE_MASK),
    is('equal', SOCK.stream, { yes: 'allow' }),
    is('equal', SOCK.seqpacket, { yes: 'allow' }),
    jump(named),
  ];
}

/**
 * Families by a list of those that are allowed. A datagram socket of AF_UNIX would carry an address with each
 * send, and SOCK_RAW makes one too (unix_create() of net/unix/af_unix.c): only where each send is mediated, or an outer
 * nono sees to it.
 */
export function socketBlock(network: Network, datagrams: boolean): readonly Statement[] {
  const inet = { allowed: 'allow', ports: 'socket-tcp', loopback: 'socket-tcp', blocked: errnoLabel('EACCES') }[network.mode];
  const netlink = network.mode === 'allowed' ? 'socket-netlink' : errnoLabel('EACCES');
  return [
    loadArgument(0),
    is('equal', AF.unix, { yes: 'socket-unix' }),
    is('equal', AF.inet, { yes: inet }),
    is('equal', AF.inet6, { yes: inet }),
    is('equal', AF.netlink, { yes: netlink }),
    jump(errnoLabel('EAFNOSUPPORT')),
    label('socket-unix'),
    loadArgument(1),
    and(SOCK_TYPE_MASK),
    is('equal', SOCK.stream, { yes: 'allow' }),
    is('equal', SOCK.seqpacket, { yes: 'allow' }),
    ...(datagrams ? [is('equal', SOCK.datagram, { yes: 'allow' })] : []),
    jump(errnoLabel('EACCES')),
    // Only what lists addresses and routes: the C library asks it before it resolves names.
    label('socket-netlink'),
    loadArgument(2),
    is('equal', NETLINK_ROUTE, { yes: 'allow' }),
    jump(errnoLabel('EPROTONOSUPPORT')),
    // Landlock and the mediator know the ports of TCP alone: UDP, and the likes of MPTCP and SCTP, would pass them by.
    label('socket-tcp'),
    loadArgument(1),
    and(SOCK_TYPE_MASK),
    is('equal', SOCK.stream, { no: errnoLabel('EACCES') }),
    loadArgument(2),
    is('equal', 0, { yes: 'allow' }),
    is('equal', IPPROTO_TCP, { yes: 'allow' }),
    jump(errnoLabel('EACCES')),
  ];
}

/** Who sends to this machine by way of another one sends to that one. Those of IPv4 take a capability, or are tied to the device (mediator/sockets.c). */
export function routeBlock(): readonly Statement[] {
  return [
    loadArgument(1),
    is('equal', IPPROTO_IPV6, { no: 'allow' }),
    loadArgument(2),
    is('equal', IPV6_RTHDR, { yes: errnoLabel('EPERM') }),
    is('equal', IPV6_2292PKTOPTIONS, { yes: errnoLabel('EPERM') }),
    jump('allow'),
  ];
}
