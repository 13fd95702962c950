import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import { describeSandboxHostContract } from './sandbox-host.contract.ts';

const createHost = async () => (await import('../../src/platform/linux/sandbox-host.ts')).createLinuxSandboxHost();

describeSandboxHostContract('linux', createHost);

describe('linux sandbox host', () => {
  test('finds the Landlock of this machine', async () => {
    expect((await createHost()).landlockAbi()).toBeGreaterThan(0);
  });

  test('answers each attempt, and changes nothing by it', async () => {
    const { tryAll } = await import('../../src/platform/linux/attempts.ts');
    const { ino: inode, size: sizeBytes, mtimeMs: modified, ctimeMs: changed } = statSync('/etc/passwd');
    const before = { ino: inode, size: sizeBytes, mtimeMs: modified, ctimeMs: changed };

    const results = tryAll([
      { call: 'read', path: '/etc/passwd' as Bytes },
      { call: 'write', path: '/nowhere/at/all' as Bytes },
      { call: 'rename', path: '/nowhere/at/all' as Bytes },
      { call: 'directory-permissions', path: '/nowhere' as Bytes },
    ]);

    expect(results).toHaveLength(4);
    for (const result of results.slice(1)) expect(result).toMatch(/^E[A-Z]+$/);
    const { ino, size, mtimeMs, ctimeMs } = statSync('/etc/passwd');
    expect({ ino, size, mtimeMs, ctimeMs }).toEqual(before);
  });
});
