import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { createLinuxFiles } from '../../src/platform/linux/files.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { needOtherUser } from '../support/tools.ts';
import { describeDirectoryChanges } from './directory-changes.contract.ts';
import { expectErrno } from './file-places.ts';
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

test('tryLock() is not refused because of others who ask at the same moment whether there is a lock, or share it', async () => {
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
      expect(file.tryLock()).toBe(true);
    }
  } finally {
    asking.kill('SIGKILL');
    await once(asking, 'close');
  }
});
