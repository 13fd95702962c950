import * as fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Bytes } from '../../src/bytes.ts';
import type { Files } from '../../src/ports/files.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { b, expectErrno, HOSTILE_NAMES } from './file-places.ts';
import { describeKeeping, describeNames, describeNotFollowing } from './names.contract.ts';
import { describeReading } from './reading.contract.ts';
import { describeSmallFiles } from './small-files.contract.ts';

/** What every Files adapter owes its callers; each adapter's test file runs this. */
export function describeFilesContract(name: string, createFiles: () => Files): void {
  describe(`${name} Files`, () => {
    let files: Files;
    beforeEach(() => {
      files = createFiles();
    });

    test('openDirectory() follows links, realPath() resolves them and stat() sees what they lead to', () => {
      using scratch = createScratchDirectory();
      fs.mkdirSync(scratch.at('real/inner'), { recursive: true });
      fs.symlinkSync('real', scratch.at('link'));
      fs.symlinkSync('nowhere', scratch.at('dangling'));

      using opened = files.openDirectory(b(scratch.at('link')));

      expect(opened.names()).toEqual(['inner']);
      expect(opened.path).toBe(scratch.at('link'));
      expect(files.realPath(b(scratch.at('link/inner')))).toBe(scratch.at('real/inner'));
      expect(files.stat(b(scratch.at('link')))?.kind).toBe('directory');
      for (const missing of ['dangling', 'nothing', 'real/inner/nothing']) {
        expect(files.realPath(b(scratch.at(missing)))).toBeUndefined();
        expect(files.stat(b(scratch.at(missing)))).toBeUndefined();
      }
    });

    test('datesEachWrite() is false on a file system in memory', () => {
      using devices = files.openDirectory(b('/dev'));
      using processes = files.openDirectory(b('/proc'));
      expect([devices.datesEachWrite(), processes.datesEachWrite()]).toEqual([false, true]);
    });

    test('realPath() and stat() of something below a file give undefined', () => {
      using scratch = createScratchDirectory();
      fs.writeFileSync(scratch.at('file'), '');
      expect(files.realPath(b(scratch.at('file/x')))).toBeUndefined();
      expect(files.stat(b(scratch.at('file/x')))).toBeUndefined();
    });

    test('fails with a SystemError that has the errno and shows the path with escapes', () => {
      using scratch = createScratchDirectory();
      expectErrno(() => files.openDirectory(b(scratch.at('missing'))), 'ENOENT');
      fs.writeFileSync(scratch.at('file'), '');
      expectErrno(() => files.openDirectory(b(scratch.at('file'))), 'ENOTDIR');
      expect(() => files.openDirectory(b(scratch.at('a\nb')))).toThrow(`"${scratch.path}/a\\nb": ENOENT`);
    });

    test('openWithoutLinks() opens what no link leads to, and tells of a link anywhere in the path', () => {
      using scratch = createScratchDirectory();
      const files = createFiles();
      fs.mkdirSync(scratch.at('a/b'), { recursive: true });
      fs.writeFileSync(scratch.at('a/b/f'), 'f');
      fs.symlinkSync('a', scratch.at('link'));
      fs.symlinkSync('b', scratch.at('a/last'));
      using opened = files.openWithoutLinks(b(scratch.at('a/b')));
      expect(opened.names()).toEqual(['f']);
      for (const path of ['link/b', 'a/last', 'link'])
        expectErrno(() => files.openWithoutLinks(b(scratch.at(path))), 'ELOOP', 'ENOTDIR');
      expectErrno(() => files.openWithoutLinks(b(scratch.at('missing'))), 'ENOENT');
      expectErrno(() => files.openWithoutLinks(b(scratch.at('a/b/f'))), 'ENOTDIR');
    });

    test.for(HOSTILE_NAMES)('openDirectory(), realPath() and stat() take the name %j', (name) => {
      using scratch = createScratchDirectory();
      fs.mkdirSync(scratch.raw(name));
      const path = `${scratch.bytes}/${name}` as Bytes;
      using opened = files.openDirectory(path);
      expect(opened.names()).toEqual([]);
      expect(files.realPath(path)).toBe(path);
      expect(files.stat(path)?.kind).toBe('directory');
    });
  });

  describeReading(name, createFiles);
  describeSmallFiles(name, createFiles);
  describeNames(name, createFiles);
  describeNotFollowing(name, createFiles);
  describeKeeping(name, createFiles);
}
