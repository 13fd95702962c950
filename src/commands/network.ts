import { type Bytes, displayBytes } from '../bytes.ts';
import type { Profile } from '../config/profile-type.ts';
import { UsageError } from '../errors.ts';
import type { Network } from '../sandbox/plan.ts';
import type { ParsedCall } from './spec.ts';

const LAST_PORT = 65535;

/**
 * What the call and the profile leave of the network: a port that is named is all that is left, with or without `--block-net`.
 *
 * @throws {UsageError} for what is no port.
 */
export function chooseNetwork({ flags, values }: ParsedCall, { blocksNetwork }: Pick<Profile, 'blocksNetwork'>): Network {
  const connect = ports('allow-port', values.get('allow-port'));
  const bind = ports('allow-bind', values.get('allow-bind'));
  if (connect.length > 0 || bind.length > 0) return { mode: 'ports', connect, bind };
  return { mode: flags.has('block-net') || blocksNetwork ? 'blocked' : 'allowed' };
}

function ports(option: string, words: readonly Bytes[] = []): readonly number[] {
  return words.map((word) => {
    const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
    if (port >= 1 && port <= LAST_PORT) return port;
    throw new UsageError(`Cannot use --${option} "${displayBytes(word)}": a port is a number from 1 to ${LAST_PORT}`);
  });
}
