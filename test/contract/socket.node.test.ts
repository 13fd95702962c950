import { createNodeSockets } from '../../src/platform/node/socket.ts';
import { describeSocketContract } from './socket.contract.ts';

describeSocketContract('node', async () => createNodeSockets());
