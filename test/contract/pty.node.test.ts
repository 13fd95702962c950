import { describePtyContract } from './pty.contract.ts';

/** An optional package: it may not have been compiled. */
const isUsable = await import('node-pty').then(
  () => true,
  () => false,
);
const name = isUsable ? 'node' : 'node (left out: needs node-pty compiled)';

describePtyContract(name, async () => (await import('../../src/platform/node/pty.ts')).startNodePty, { isUsable });
