import { encodeSeccomp, type SeccompTarget } from '../../../../src/sandbox/linux/seccomp.ts';
import {
  type Architecture,
  AUDIT_ARCH,
  type CallName,
  callNumber,
  ERRNO,
  RETURN,
} from '../../../../src/sandbox/linux/seccomp-uapi.ts';
import type { Network } from '../../../../src/sandbox/plan.ts';
import { simulate } from './bpf-simulator.ts';

export const ARCHITECTURES: readonly Architecture[] = ['x64', 'arm64'];
export const ALLOWED: Network = { mode: 'allowed' };
export const BLOCKED: Network = { mode: 'blocked' };
export const LOOPBACK: Network = { mode: 'loopback' };
export const PORTS: Network = { mode: 'ports', connect: [443], bind: [] };

/** The name of the errno, 'allow' or 'kill'. */
export function answer(value: number): string {
  if (value === RETURN.allow) return 'allow';
  if (value === RETURN.kill) return 'kill';
  if (value === RETURN.notify) return 'mediated';
  const errno = Object.entries(ERRNO).find(([, number]) => value === (RETURN.errno | number));
  return errno?.[0] ?? `unknown ${value}`;
}

/** What the filter of a target answers to a call: by default x64, the newest ABI, no mediator of its own. */
export function ask(
  call: CallName | number,
  args: readonly (number | bigint)[] = [],
  { network = ALLOWED, architecture = 'x64', abi = 7, mediator = 'outer', datagrams = false }: Partial<SeccompTarget> = {},
): string {
  const number = typeof call === 'number' ? call : (callNumber(call, architecture) ?? Number.NaN);
  const program = encodeSeccomp({ network, architecture, abi, mediator, datagrams });
  return answer(simulate(program, { number, architecture: AUDIT_ARCH[architecture], arguments: args }).value);
}
