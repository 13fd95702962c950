import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { lockSoon } from '../../src/lock-soon.ts';
import { createLinuxFiles } from '../../src/platform/linux/files.ts';
import { mountImage } from '../support/mount.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { needOtherUser } from '../support/tools.ts';
import { describeDirectoryChanges } from './directory-changes.contract.ts';
import { expectErrno, unpackListing } from './file-places.ts';
import { describeFilesContract } from './files.contract.ts';
import { describeLocksContract } from './locks.contract.ts';
import { describeNewFilesContract } from './new-files.contract.ts';

describeFilesContract('linux', createLinuxFiles);
describeDirectoryChanges('linux', createLinuxFiles);
describeLocksContract('linux', createLinuxFiles);
describeNewFilesContract('linux', createLinuxFiles);

const createBulkFiles = () => createLinuxFiles({ bulkFromEntries: 0 });
describeFilesContract('linux in bulk', createBulkFiles);
describeDirectoryChanges('linux in bulk', createBulkFiles);

test('openWithoutLinks() opens a directory that its user may enter and not list, as those above a home often are', (context) => {
  needOtherUser(context);
  using scratch = createScratchDirectory();
  const files = createLinuxFiles();
  fs.mkdirSync(scratch.at('above/own'), { recursive: true });
  for (const path of ['', 'above']) fs.chmodSync(scratch.at(path), 0o711);
  fs.chmodSync(scratch.at('above/own'), 0o777);
  process.seteuid?.(65_534);
  try {
    using above = files.openWithoutLinks(bytesFromText(scratch.at('above')));
    expectErrno(() => above.names(), 'EACCES');
    expect(above.stat(bytesFromText('own'))?.kind).toBe('directory');
    using own = above.openDirectory(bytesFromText('own'));
    expect(own.names()).toEqual([]);
  } finally {
    process.seteuid?.(0);
  }
});

test('lockSoon() is not refused because of others who ask at the same moment whether there is a lock, or share it', async () => {
  using scratch = createScratchDirectory();
  fs.writeFileSync(scratch.at('lock'), '');
  const module = new URL('../../src/platform/linux/files.ts', import.meta.url).href;
  const ask = `
    const { createLinuxFiles } = await import(${JSON.stringify(module)});
    const directory = createLinuxFiles().openDirectory(${JSON.stringify(scratch.at(''))});
    console.log('asks');
    for (;;) {
      using file = directory.openFile('lock');
      file.isLocked();
      file.tryLockShared();
    }`;
  const asking = spawn(process.execPath, ['-e', ask], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(asking.stdout, 'data');
    using directory = createLinuxFiles().openDirectory(bytesFromText(scratch.at('')));
    for (let tries = 0; tries < 3000; tries += 1) {
      using file = directory.openFile(bytesFromText('lock'));
      expect(await lockSoon(file)).toBe(true);
    }
  } finally {
    asking.kill('SIGKILL');
    await once(asking, 'close');
  }
});

describe('names() and list() of a long directory while names in it are replaced', () => {
  const WORDS = ['first', 'second', 'third'];
  const NAMES = [...WORDS, ...Array.from({ length: 3000 }, (_, at) => `n${at}`)].sort().join(' ');

  /** Replaces them again and again, in a process of its own, until it is disposed of. */
  async function replaceIn(directory: string): Promise<AsyncDisposable> {
    const replace = `
      const { renameSync, writeFileSync } = require('node:fs');
      process.chdir(${JSON.stringify(directory)});
      for (let turn = 0; ; turn += 1) {
        const name = ${JSON.stringify(WORDS)}[turn % ${WORDS.length}];
        writeFileSync('../spare', '');
        renameSync('../spare', name);
        if (turn === 3) console.log('replaces');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }`;
    const replacing = spawn(process.execPath, ['-e', replace], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(replacing.stdout, 'data');
    return {
      [Symbol.asyncDispose]: async () => {
        replacing.kill('SIGKILL');
        await once(replacing, 'close');
      },
    };
  }

  test.for([
    ['ext4', 0],
    ['ext4', Number.POSITIVE_INFINITY],
    ['btrfs', 0],
    ['btrfs', Number.POSITIVE_INFINITY],
    ['tmpfs', 0],
    ['tmpfs', Number.POSITIVE_INFINITY],
  ] as const)('pass over none and give none twice, on %s, in bulk from entry %d on', async ([type, bulkFromEntries], context) => {
    using volume = type === 'tmpfs' ? createScratchDirectory('/dev/shm') : mountImage(context, type);
    fs.mkdirSync(volume.at('long'));
    for (const name of NAMES.split(' ')) fs.writeFileSync(volume.at(`long/${name}`), '');
    await using _replacing = await replaceIn(volume.at('long'));
    using directory = createLinuxFiles({ bulkFromEntries }).openDirectory(bytesFromText(volume.at('long')));

    for (let turn = 0; turn < 20; turn += 1) {
      expect(directory.names().sort().join(' ')).toBe(NAMES);
      const listed = unpackListing(directory.list());
      expect(listed.map(({ name }) => name).join(' ')).toBe(NAMES);
    }
  });
});
