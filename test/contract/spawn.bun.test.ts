import { describeSpawnContract } from './spawn.contract.ts';

describeSpawnContract('bun', async () => (await import('../../src/platform/bun/spawn.ts')).createBunSpawn());
