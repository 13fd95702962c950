import { describePtyContract } from './pty.contract.ts';

/** An optional package: it may not have been compiled, and it does not work under Bun. */
const isUsable =
  !('Bun' in globalThis) &&
  (await import('node-pty').then(
    () => true,
    () => false,
  ));
const name = isUsable ? 'node' : 'node (left out: needs Node, and node-pty compiled)';

describePtyContract(name, async () => (await import('../../src/platform/node/pty.ts')).startNodePty, { isUsable });
