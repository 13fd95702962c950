import { type Bytes, displayBytes } from '../bytes.ts';
import type { Profile } from '../config/profile-type.ts';
import { UsageError } from '../errors.ts';
import type { Network } from '../sandbox/plan.ts';
import type { ParsedCall } from './spec.ts';

const LOOPBACK = 'loopback';
const LAST_PORT = 65535;

/**
 * What the call and the profile leave of the network: a port that is named is all that is left, with or without `--block-net`.
 *
 * @throws {UsageError} for what is no port, and no way to block.
 */
export function chooseNetwork({ flags, values }: ParsedCall, { blocksNetwork }: Pick<Profile, 'blocksNetwork'>): Network {
  const connect = ports('allow-port', values.get('allow-port'));
  const bind = ports('allow-bind', values.get('allow-bind'));
  const namesPorts = connect.length > 0 || bind.length > 0;
  const block = values.get('block-net')?.[0];
  if (flags.has('allow-net')) {
    if (namesPorts || block !== undefined)
      throw new UsageError('Cannot use --allow-net with --block-net, --allow-port or --allow-bind: they say different things');
    return { mode: 'allowed' };
  }
  if (block !== undefined && block !== '') {
    if (block !== LOOPBACK)
      throw new UsageError(`Cannot use --block-net=${displayBytes(block)}: all that can follow is ${LOOPBACK}`);
    if (namesPorts)
      throw new UsageError('Cannot use --block-net=loopback with --allow-port or --allow-bind: they say different things');
    return { mode: LOOPBACK };
  }
  if (namesPorts) return { mode: 'ports', connect, bind };
  if (block !== undefined || blocksNetwork === true) return { mode: 'blocked' };
  return { mode: blocksNetwork === LOOPBACK ? LOOPBACK : 'allowed' };
}

function ports(option: string, words: readonly Bytes[] = []): readonly number[] {
  return words.map((word) => {
    const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
    if (port >= 1 && port <= LAST_PORT) return port;
    throw new UsageError(`Cannot use --${option} "${displayBytes(word)}": a port is a number from 1 to ${LAST_PORT}`);
  });
}
