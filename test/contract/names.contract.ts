import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Bytes } from '../../src/bytes.ts';
import type { Files } from '../../src/ports/files.ts';
import { b, errnoOf, expectErrno, HOSTILE_NAMES, openPlace } from './file-places.ts';

export function describeNames(name: string, createFiles: () => Files): void {
  describe(`${name} Directory, names of any bytes`, () => {
    test.for(HOSTILE_NAMES)('every call takes %j', (name) => {
      using place = openPlace(createFiles());
      const { directory, scratch } = place;
      const other = `_${name.slice(1)}` as Bytes;
      {
        using file = directory.createFile(name, 0o600);
        file.write(Buffer.from('1'));
      }
      expect(directory.names()).toEqual([name]);
      expect(fs.readdirSync(scratch.path, { encoding: 'buffer' }).map((entry) => entry.toString('latin1'))).toEqual([name]);
      directory.setMode(name, 0o644);
      directory.setModificationTime(name, 7, 8);
      expect(directory.stat(name)).toMatchObject({ mode: 0o644, mtimeSeconds: 7, mtimeNanoseconds: 8 });
      {
        using file = directory.openFile(name);
        expect(file.stat().sizeBytes).toBe(1);
        using appending = directory.openForAppend(name, 0o600);
        appending.write(Buffer.from('2'));
      }
      directory.link(name, directory, other);
      expect(directory.stat(other)?.links).toBe(2);
      directory.removeFile(other);
      directory.rename(name, directory, other);
      directory.removeFile(other);
      directory.createSymlink(name, name);
      expect(directory.readLink(name)).toBe(name);
      directory.removeFile(name);
      directory.createDirectory(name, 0o700);
      {
        using below = directory.openDirectory(name);
        expect(below.path).toBe(`${directory.path}/${name}`);
      }
      directory.removeDirectory(name);
      expect(directory.names()).toEqual([]);
    });
  });
}

export function describeKeeping(name: string, createFiles: () => Files): void {
  describe(`${name} OpenFile, kept`, () => {
    test('writes over a file in its place, whatever was read or written before', () => {
      using place = openPlace(createFiles());
      using file = place.directory.createFile(b('f'), 0o600);
      file.write(Buffer.from('a long first text'));
      file.read(new Uint8Array(3));
      const { inode } = file.stat();
      file.overwrite(Buffer.from('short'));
      expect(fs.readFileSync(place.scratch.at('f'), 'utf8')).toBe('short');
      file.overwrite(Buffer.from('longer than before'));
      expect(fs.readFileSync(place.scratch.at('f'), 'utf8')).toBe('longer than before');
      expect(place.directory.stat(b('f'))?.inode).toBe(inode);
    });

    test('is made durable while the loop goes on', async () => {
      using place = openPlace(createFiles());
      using file = place.directory.createFile(b('f'), 0o600);
      file.write(Buffer.from('x'));
      await expect(file.syncLater()).resolves.toBeUndefined();
      await expect(place.directory.syncLater()).resolves.toBeUndefined();
    });
  });
}

export function describeNotFollowing(name: string, createFiles: () => Files): void {
  const PATH = ['a', 'b', 'c', 'file'] as const;

  describe(`${name} Directory, not following`, () => {
    test.for(PATH.map((_, position) => position))('refuses a link at position %i of a path, wherever it leads', (position) => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      fs.mkdirSync(scratch.at('a/b/c'), { recursive: true });
      fs.writeFileSync(scratch.at('a/b/c/file'), 'secret');
      const planted = PATH.slice(0, position + 1).join('/');
      fs.renameSync(scratch.at(planted), scratch.at('elsewhere'));
      for (const target of [scratch.at('elsewhere'), `${'../'.repeat(position)}elsewhere`, '/', '/etc/passwd', 'loop', 'none']) {
        fs.rmSync(scratch.at(planted), { force: true });
        fs.symlinkSync(target === 'loop' ? (PATH[position] as string) : target, scratch.at(planted));
        expectErrno(() => directory.openFile(b(PATH.join('/'))), 'ELOOP', 'ENOTDIR');
        expectErrno(() => directory.openDirectory(b(PATH.slice(0, Math.max(3, position + 1)).join('/'))), 'ELOOP', 'ENOTDIR');
      }
    });

    test.for(['..', '../x', 'a/../../x', '/', '/etc', '/etc/passwd', 'a/../..'])('never leaves by %j', (path) => {
      using place = openPlace(createFiles());
      fs.mkdirSync(place.scratch.at('inside/a'), { recursive: true });
      fs.writeFileSync(place.scratch.at('x'), '');
      using inside = place.directory.openDirectory(b('inside'));
      expect(errnoOf(() => inside.openDirectory(b(path)))).toBe('EXDEV');
      expect(errnoOf(() => inside.openFile(b(path)))).toBe('EXDEV');
    });

    test('stays in the directory that it opened when that is moved and a link takes its place', () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      fs.mkdirSync(scratch.at('mine'));
      fs.mkdirSync(scratch.at('theirs'));
      fs.writeFileSync(scratch.at('theirs/file'), 'theirs');
      using mine = directory.openDirectory(b('mine'));
      fs.renameSync(scratch.at('mine'), scratch.at('moved'));
      fs.symlinkSync('theirs', scratch.at('mine'));
      mine.createFile(b('new'), 0o600)[Symbol.dispose]();
      expect(mine.stat(b('file'))).toBeUndefined();
      expect(fs.readdirSync(scratch.at('theirs'))).toEqual(['file']);
      expect(fs.readdirSync(scratch.at('moved'))).toEqual(['new']);
    });

    test('openFile() of a FIFO, a socket or a directory does not block', async () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      execFileSync('mkfifo', [scratch.at('fifo')]);
      fs.mkdirSync(scratch.at('directory'));
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(scratch.at('socket'), resolve));
      {
        using fifo = directory.openFile(b('fifo'));
        expect(fifo.stat().kind).toBe('fifo');
        using opened = directory.openFile(b('directory'));
        expect(opened.stat().kind).toBe('directory');
        expectErrno(() => opened.read(new Uint8Array(4)), 'EISDIR');
      }
      expectErrno(() => directory.openFile(b('socket')), 'ENXIO');
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    });

    test('creating, locking, chmod and times never go through a link', () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      fs.writeFileSync(scratch.at('target'), 'precious', { mode: 0o644 });
      fs.utimesSync(scratch.at('target'), 1000, 1000);
      fs.symlinkSync('target', scratch.at('link'));
      fs.symlinkSync('missing', scratch.at('dangling'));
      for (const name of ['link', 'dangling']) {
        expectErrno(() => directory.createFile(b(name), 0o600), 'EEXIST');
        expectErrno(() => directory.createDirectory(b(name), 0o700), 'EEXIST');
        expectErrno(() => directory.createSymlink(b(name), b('x')), 'EEXIST');
        expectErrno(() => directory.openForAppend(b(name), 0o600), 'ELOOP');
        expectErrno(() => directory.openFile(b(name)), 'ELOOP');
        expectErrno(() => directory.setMode(b(name), 0o777), 'ELOOP');
      }
      directory.setModificationTime(b('link'), 5, 6);
      expect(directory.stat(b('link'))).toMatchObject({ mtimeSeconds: 5, mtimeNanoseconds: 6 });
      expect(directory.stat(b('target'))).toMatchObject({ mode: 0o644, mtimeSeconds: 1000, sizeBytes: 8 });
      expect(fs.existsSync(scratch.at('missing'))).toBe(false);
      directory.removeFile(b('link'));
      expect(fs.readFileSync(scratch.at('target'), 'utf8')).toBe('precious');
    });
  });
}
