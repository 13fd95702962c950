import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Bytes, bufferFromBytes, bytesFromText } from '../../src/bytes.ts';
import { isErrno, SystemError } from '../../src/errors.ts';
import type { PathFacts } from '../../src/ports/path-facts.ts';

/** What it answers, or the errno that it fails with. */
function attempt(facts: PathFacts, path: Bytes): unknown {
  try {
    return facts.resolve(path);
  } catch (error) {
    return error instanceof SystemError ? error.errno : error;
  }
}

/** What every PathFacts adapter owes its callers. */
export function describePathFactsContract(name: string, createFacts: () => Promise<PathFacts>): void {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nono-facts-')));
  const path = (relative: string): Bytes => bytesFromText(join(directory, relative));
  mkdirSync(join(directory, 'd'));
  writeFileSync(join(directory, 'd/f'), '#!/bin/sh\n');
  chmodSync(join(directory, 'd/f'), 0o750);
  symlinkSync('d', join(directory, 'link'));
  symlinkSync('nowhere', join(directory, 'dangling'));
  symlinkSync('loop', join(directory, 'loop'));
  const strange = `${path('d')}/\xff\x80` as Bytes;
  writeFileSync(bufferFromBytes(strange), '');
  afterAll(() => rmSync(directory, { recursive: true }));

  describe(`${name} path facts`, () => {
    test.for([
      { what: 'a file', given: 'd/f', expected: { path: 'd/f', kind: 'file', mode: 0o750 } },
      { what: 'a path through a link', given: 'link/f', expected: { path: 'd/f', kind: 'file', mode: 0o750 } },
      {
        what: 'a directory through a link and back',
        given: 'link/../d',
        expected: { path: 'd', kind: 'directory', mode: 0o755 },
      },
    ])('resolve $what', async ({ given, expected }) => {
      expect((await createFacts()).resolve(`${directory}/${given}` as Bytes)).toEqual({ ...expected, path: path(expected.path) });
    });

    test.for(['nowhere', 'd/f/x', 'dangling'])('find nothing at %s', async (given) => {
      expect((await createFacts()).resolve(path(given))).toBeUndefined();
    });

    test('read where a link leads, to nothing too, and tell what is none', async () => {
      const facts = await createFacts();

      expect(['link', 'dangling', 'd', 'd/f', 'nothing', 'd/f/x'].map((given) => facts.readLink(path(given)))).toEqual([
        'd',
        'nowhere',
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
    });

    test('fail with the errno of a loop', async () => {
      const facts = await createFacts();
      const attempt = (): unknown => facts.resolve(path('loop'));

      expect(attempt).toThrow(/ELOOP/);
      try {
        attempt();
      } catch (error) {
        expect(isErrno(error, 'ELOOP')).toBe(true);
      }
    });

    test('keep names that are not UTF-8', async () => {
      const facts = await createFacts();

      expect(facts.names(path('d')).toSorted()).toEqual(['f', strange.slice(strange.lastIndexOf('/') + 1)]);
      expect(facts.resolve(strange)?.path).toBe(strange);
      expect(
        facts
          .entries(path('d'))
          .map((entry) => entry.name)
          .toSorted(),
      ).toEqual(['f', '\xff\x80']);
    });

    test('answer the same about paths that were prepared together', async () => {
      const [prepared, plain] = [await createFacts(), await createFacts()];
      const long = path('x'.repeat(5000));
      const asked = [...['d/f', 'link/f', 'link/../d', 'nowhere', 'd/f/x', 'dangling', 'loop'].map(path), strange, long];

      prepared.prepare?.(asked);

      for (const one of asked) expect(attempt(prepared, one)).toEqual(attempt(plain, one));
    });

    test('look again when they are asked again', async () => {
      const facts = await createFacts();
      const late = path('late');

      facts.prepare?.([late]);
      facts.resolve(late);
      writeFileSync(bufferFromBytes(late), '');

      expect(facts.resolve(late)?.kind).toBe('file');
      rmSync(bufferFromBytes(late));
    });

    test('answer about more paths than are prepared at once', async () => {
      const facts = await createFacts();
      const many = Array.from({ length: 3000 }, (_, at) => path(`d/${'n'.repeat(200)}${at}`));

      facts.prepare?.([...many, path('d/f')]);

      expect(facts.resolve(path('d/f'))?.kind).toBe('file');
      expect(facts.resolve(many[0] as Bytes)).toBeUndefined();
    });

    test('list a directory that is not there, is a file, or has too many entries for one answer', async () => {
      const facts = await createFacts();
      const full = join(directory, 'full');
      mkdirSync(full);
      for (let at = 0; at < 700; at++) writeFileSync(join(full, `${at}${'n'.repeat(200)}`), '');

      expect(() => facts.entries(path('nowhere'))).toThrow(/ENOENT/);
      expect(() => facts.entries(path('d/f'))).toThrow(/ENOTDIR/);
      expect(facts.entries(path('full'))).toHaveLength(700);
      rmSync(full, { recursive: true });
    });

    test('list entries without following their links', async () => {
      const entries = (await createFacts()).entries(bytesFromText(directory));

      expect(entries.find((entry) => entry.name === 'link')?.kind).toBe('symlink');
      expect(entries.find((entry) => entry.name === 'd')).toEqual({ name: 'd', kind: 'directory', mode: 0o755 });
    });

    test('read no more than the start of a file', async () => {
      const facts = await createFacts();

      expect(facts.readStart(path('d/f'), 4)).toBe('#!/b');
      expect(facts.readStart(path('d/f'), 400)).toBe('#!/bin/sh\n');
    });

    test('name streams by absolute paths only', async () => {
      for (const stream of (await createFacts()).streams()) expect(stream.path.startsWith('/')).toBe(true);
    });
  });
}
