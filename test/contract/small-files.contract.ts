import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { type Files, SMALL_FILE_BYTES } from '../../src/ports/files.ts';
import { createScratchDirectory } from '../support/scratch.ts';

const b = (text: string): Bytes => bytesFromText(text);

/** Directory.readSmallFiles(): a part of what every Files adapter owes its callers. */
export function describeSmallFiles(name: string, createFiles: () => Files): void {
  describe(`${name} Directory, small files`, () => {
    test('readSmallFiles() reads what is a small regular file, and nothing else', () => {
      using scratch = createScratchDirectory();
      fs.writeFileSync(scratch.at('text'), 'one\0two\n');
      fs.utimesSync(scratch.at('text'), 1_700_000_000, 1_700_000_001.5);
      fs.writeFileSync(scratch.at('empty'), '');
      fs.writeFileSync(scratch.at('largest'), Buffer.alloc(SMALL_FILE_BYTES, 0xff));
      fs.writeFileSync(scratch.at('larger'), Buffer.alloc(SMALL_FILE_BYTES + 1));
      fs.mkdirSync(scratch.at('directory'));
      fs.symlinkSync('text', scratch.at('link'));
      execFileSync('mkfifo', [scratch.at('fifo')]);
      using directory = createFiles().openDirectory(b(scratch.path));
      const uid = process.getuid?.();

      expect(directory.readSmallFiles([b('text')])).toEqual([{ uid, mtimeSeconds: 1_700_000_001, bytes: 'one\0two\n' }]);
      const read = directory.readSmallFiles(
        ['larger', 'largest', 'directory', 'link', 'text', 'fifo', 'missing', 'empty'].map(b),
      );
      const sizes = [undefined, SMALL_FILE_BYTES, undefined, undefined, 8, undefined, undefined, 0];
      expect(read.map((file) => file?.bytes.length)).toEqual(sizes);
      expect(directory.readSmallFiles([b('directory/../text')])).toEqual([undefined]);
      expect(read[1]?.bytes).toBe('\xff'.repeat(SMALL_FILE_BYTES));
      expect(directory.readSmallFiles([])).toEqual([]);
    });

    test('readSmallFiles() reads any number of files, whatever their sizes and names are', () => {
      using scratch = createScratchDirectory();
      const sizeOf = (at: number): number => [0, 1, 7, 8, 9, 1000, 40_000][at % 7] ?? 0;
      const names = Array.from({ length: 500 }, (_, at) => b(at % 50 === 0 ? `${at}-${'x'.repeat(200)}` : `file ${at}`));
      for (const [at, name] of names.entries()) fs.writeFileSync(scratch.at(name), String(at % 10).repeat(sizeOf(at)));
      using directory = createFiles().openDirectory(b(scratch.path));

      const read = directory.readSmallFiles(names);

      expect(read).toHaveLength(names.length);
      for (const [at, file] of read.entries()) expect(file?.bytes).toBe(String(at % 10).repeat(sizeOf(at)));
    });
  });
}
