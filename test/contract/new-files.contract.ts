import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import type { Files } from '../../src/ports/files.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { errnoOf } from './file-places.ts';

const b = bytesFromText;

/** What every Files adapter owes whoever makes files: nothing replaced unasked, and holes left as holes. */
export function describeNewFilesContract(name: string, createFiles: () => Files): void {
  describe(`${name} Files, making files`, () => {
    test('renameNew() gives a file its name, and refuses one that is taken by anything', () => {
      using scratch = createScratchDirectory();
      fs.writeFileSync(scratch.at('mine'), 'mine');
      fs.writeFileSync(scratch.at('file'), 'theirs');
      fs.symlinkSync('nowhere', scratch.at('link'));
      fs.mkdirSync(scratch.at('directory'));
      using directory = createFiles().openDirectory(b(scratch.at('')));

      for (const taken of ['file', 'link', 'directory']) {
        expect(errnoOf(() => directory.renameNew(b('mine'), directory, b(taken)))).toBe('EEXIST');
      }
      expect(fs.readFileSync(scratch.at('file'), 'utf8')).toBe('theirs');
      directory.renameNew(b('mine'), directory, b('new'));

      expect(fs.readdirSync(scratch.at('')).sort()).toEqual(['directory', 'file', 'link', 'new']);
      expect(fs.readFileSync(scratch.at('new'), 'utf8')).toBe('mine');
      expect(errnoOf(() => directory.renameNew(b('mine'), directory, b('other')))).toBe('ENOENT');
    });

    test('skip() leaves a hole and setSize() ends a file in one', () => {
      using scratch = createScratchDirectory();
      using directory = createFiles().openDirectory(b(scratch.at('')));
      const hole = 8 * 1024 * 1024;
      {
        using file = directory.createFile(b('sparse'), 0o644);
        file.write(Buffer.from('a'));
        file.skip(hole - 1);
        file.write(Buffer.from('b'));
        file.skip(hole - 1);
        file.setSize(2 * hole);
      }
      const data = fs.readFileSync(scratch.at('sparse'));

      expect(data.length).toBe(2 * hole);
      expect([data[0], data[1], data[hole - 1], data[hole], data[hole + 1], data[2 * hole - 1]]).toEqual([97, 0, 0, 98, 0, 0]);
      expect(fs.statSync(scratch.at('sparse')).blocks * 512).toBeLessThan(hole);
    });
  });
}
