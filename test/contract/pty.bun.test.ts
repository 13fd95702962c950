import { describePtyContract } from './pty.contract.ts';

describePtyContract('bun', async () => (await import('../../src/platform/bun/pty.ts')).startBunPty);
