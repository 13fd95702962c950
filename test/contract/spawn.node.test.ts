import { createNodeSpawn } from '../../src/platform/node/spawn.ts';
import { describeSpawnContract } from './spawn.contract.ts';

describeSpawnContract('node', async () => createNodeSpawn());
