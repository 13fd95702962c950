import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesFromText } from '../../../src/bytes.ts';
import { makeMissing } from '../../../src/commands/make-missing.ts';
import { createNodeFiles } from '../../../src/platform/node/files.ts';
import { createScratchDirectory } from '../../support/scratch.ts';

test('makeMissing() makes directories and files, and nothing through a link that was put there since', () => {
  using scratch = createScratchDirectory();
  const at = (path: string) => `${realpathSync(scratch.at('.'))}/${path}`;
  mkdirSync(at('home'));
  mkdirSync(at('elsewhere'));
  symlinkSync('../elsewhere', at('home/planted'));
  const told: string[] = [];

  makeMissing(
    { files: createNodeFiles(), notify: (line) => told.push(line) },
    {
      missingDirectories: ['home/a', 'home/a/b', 'home/planted/c'].map((path) => bytesFromText(at(path))),
      missingFiles: ['home/a/b/f', 'home/planted/f'].map((path) => ({
        path: bytesFromText(at(path)),
        content: bytesFromText('x'),
      })),
    },
  );

  expect(readFileSync(at('home/a/b/f'), 'utf8')).toBe('x');
  expect(['elsewhere/c', 'elsewhere/f'].map((path) => existsSync(at(path)))).toEqual([false, false]);
  expect(told.map((line) => line.slice(-5))).toEqual(['ELOOP', 'ELOOP']);
});
