import { createNodeSandboxHost } from '../../src/platform/node/sandbox-host.ts';
import { describeSandboxHostContract } from './sandbox-host.contract.ts';

describeSandboxHostContract('node', async () => createNodeSandboxHost());
