import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { describeSandboxHostContract, NOT_OURS } from './sandbox-host.contract.ts';

const NOTHING_ALLOWED = { handledFs: 0x1fff, handledNet: 0, scoped: 0, ports: [] };

/** include/uapi/linux/wait.h */
const P_PID = 1;
const WEXITED = 4;

const createHost = async () => (await import('../../src/platform/linux/sandbox-host.ts')).createLinuxSandboxHost();

describeSandboxHostContract('linux', createHost);

describe('linux sandbox host', () => {
  test('finds the Landlock of this machine', async () => {
    expect((await createHost()).landlockAbi()).toBeGreaterThan(0);
  });

  test.for([
    ['ENOENT', 'missing/made'],
    ['EEXIST', 'there'],
    ['ENOTDIR', 'there/made'],
  ] as const)('tells by %s why there is no directory, and leaves nothing open', async ([errno, name]) => {
    using scratch = createScratchDirectory();
    writeFileSync(scratch.at('there'), '');
    const host = await createHost();
    const open = () => readdirSync('/proc/self/fd').length;
    const make = () => host.prepare({ ...NOTHING_ALLOWED, rules: [] }, bytesFromText(scratch.at(name))).checkDirectory();
    expect(make).toThrow(expect.objectContaining({ errno }));
    const before = open();
    expect(make).toThrow(expect.objectContaining({ errno }));
    expect(open()).toBe(before);
  });

  // At once: as where the system gives no thread.
  test.for(['on a thread of its own', 'at once', 'in its place'])(
    'tells of a rule whose path has gone, added %s',
    async (when) => {
      const { LinuxGroundwork } = await import('../../src/platform/linux/launch/groundwork.ts');
      const { LaunchMemory } = await import('../../src/platform/linux/launch/launch-memory.ts');
      const { loadLaunch, RUN } = await import('../../src/platform/linux/launch/load.ts');
      const { syscall } = await import('../../src/platform/linux/syscalls.ts');
      using scratch = createScratchDirectory();
      mkdirSync(scratch.at('there'));
      const rules = ['there', 'gone'].map((name) => ({ path: bytesFromText(scratch.at(name)), rights: 4, isRequired: true }));
      const launch = { ...NOT_OURS, supervisorPid: 0, landlock: { ...NOTHING_ALLOWED, rules } };
      const groundwork = new LinuxGroundwork(launch.landlock, bytesFromText(scratch.at('made')));
      if (when === 'on a thread of its own') groundwork.begin();
      if (when === 'at once') loadLaunch()(groundwork.address, RUN.prepare);
      const memory = new LaunchMemory(launch, { groundwork });
      const child = loadLaunch()(memory.address, RUN.start);
      syscall('waitid', P_PID, child, 0, WEXITED);

      expect(memory.failure).toEqual({ step: 'rule', errno: 'ENOENT', path: scratch.at('gone') });
      expect(existsSync(scratch.at('made'))).toBe(true);
    },
  );

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
