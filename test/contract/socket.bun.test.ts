import { describeSocketContract } from './socket.contract.ts';

describeSocketContract('bun', async () => (await import('../../src/platform/bun/socket.ts')).createBunSockets());
