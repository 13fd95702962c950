import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import type { Launch } from '../../src/sandbox/launch.ts';
import { SAMPLE_LAUNCH } from '../support/sample-start.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { describeSandboxHostContract, NOT_OURS } from './sandbox-host.contract.ts';

/** include/uapi/linux/wait.h */
const P_PID = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
/** include/uapi/linux/landlock.h */
const WRITE_FILE = 2;
/** BPF_RET, SECCOMP_RET_ALLOW. */
const ALLOW_ALL = '\x06\0\0\0\0\0\xff\x7f' as Bytes;

const createHost = async () => (await import('../../src/platform/linux/sandbox-host.ts')).createLinuxSandboxHost();

describeSandboxHostContract('linux', createHost);

describe('linux sandbox host', () => {
  test('finds the Landlock of this machine', async () => {
    expect((await createHost()).landlockAbi()).toBeGreaterThan(0);
  });

  test('tells of a rule whose path has gone', async () => {
    const { LaunchMemory } = await import('../../src/platform/linux/launch/launch-memory.ts');
    const { loadLaunch, RUN } = await import('../../src/platform/linux/launch/load.ts');
    const { syscall } = await import('../../src/platform/linux/syscalls.ts');
    using scratch = createScratchDirectory();
    mkdirSync(scratch.at('there'));
    const rules = ['there', 'gone'].map((name) => ({ path: bytesFromText(scratch.at(name)), rights: 4, isRequired: true }));
    const memory = new LaunchMemory({ ...NOT_OURS, supervisorPid: 0, landlock: { ...NOT_OURS.landlock, rules } });
    const child = loadLaunch()(memory.address, RUN.start);
    syscall('waitid', P_PID, child, 0, WEXITED);

    expect(memory.failure).toEqual({ step: 'rule', errno: 'ENOENT', path: scratch.at('gone') });
  });

  describe('a command that is made ready before it is started', () => {
    /** May write beneath `there`, and nowhere else. */
    const writing = (script: string, there: string): Launch => ({
      ...SAMPLE_LAUNCH,
      supervisorPid: process.pid,
      landlock: {
        ...SAMPLE_LAUNCH.landlock,
        handledFs: WRITE_FILE,
        rules: [{ path: bytesFromText(there), rights: WRITE_FILE, isRequired: true }],
      },
      filter: ALLOW_ALL,
      executables: ['/bin/sh'] as Bytes[],
      command: ['sh', '-c', bytesFromText(script)] as Bytes[],
    });
    const descriptors = (): number => readdirSync('/proc/self/fd').length;

    test('is confined by what its rules meant then, and leaves no descriptor behind', async () => {
      const { prepareCommand } = await import('../../src/platform/linux/launched-process.ts');
      const { syscall } = await import('../../src/platform/linux/syscalls.ts');
      using scratch = createScratchDirectory();
      for (const name of ['there/f', 'later/f']) {
        mkdirSync(dirname(scratch.at(name)));
        writeFileSync(scratch.at(name), '');
      }
      const before = descriptors();
      const script = `exec 2>&-; cd ${scratch.path}; echo one >moved/f; echo two >there/f; exit 7`;
      const prepared = prepareCommand(writing(script, scratch.at('there')), {});
      renameSync(scratch.at('there'), scratch.at('moved'));
      renameSync(scratch.at('later'), scratch.at('there'));
      const started = prepared.start();
      if ('step' in started) throw new Error(`It was not started: ${started.step} ${started.errno}`);
      syscall('waitid', P_PID, started.pid, 0, WEXITED | WNOWAIT);
      started.look();

      expect(await started.exited).toEqual({ code: 7, signal: null });
      expect(readFileSync(scratch.at('moved/f'), 'utf8')).toBe('one\n');
      expect(readFileSync(scratch.at('there/f'), 'utf8')).toBe('');
      expect(descriptors()).toBe(before);
    });

    test('is not started when one of its rules could not be made', async () => {
      const { prepareCommand } = await import('../../src/platform/linux/launched-process.ts');
      using scratch = createScratchDirectory();
      const before = descriptors();
      const prepared = prepareCommand(writing(`echo > ${scratch.at('made')}`, scratch.at('gone')), {});

      expect(prepared.start()).toEqual({ step: 'rule', errno: 'ENOENT', path: scratch.at('gone') });
      expect(existsSync(scratch.at('made'))).toBe(false);
      expect(descriptors()).toBe(before);
    });
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
