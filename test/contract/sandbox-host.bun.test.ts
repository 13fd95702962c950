import { describe, expect, test } from 'vitest';
import { describeSandboxHostContract } from './sandbox-host.contract.ts';

const createHost = async () => (await import('../../src/platform/linux/sandbox-host.ts')).createLinuxSandboxHost();

describeSandboxHostContract('linux', createHost);

describe('linux sandbox host', () => {
  test('finds the Landlock of this machine', async () => {
    expect((await createHost()).landlockAbi()).toBeGreaterThan(0);
  });
});
