import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Bytes } from '../../src/bytes.ts';
import type { Directory, Files } from '../../src/ports/files.ts';
import { b, EMPTY, expectErrno, openPlace, unpackListing } from './file-places.ts';

/** What every Directory owes who reads it. */
export function describeReading(name: string, createFiles: () => Files): void {
  describe(`${name} Directory, reading`, () => {
    test('names() gives every name without . and .., and again after a change', () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      expect(directory.names()).toEqual([]);
      for (let count = 0; count < 3000; count++) fs.writeFileSync(scratch.at(`${'n'.repeat(60)}${count}`), '');
      expect(directory.names()).toHaveLength(3000);
      fs.writeFileSync(scratch.at('later'), '');
      const names = directory.names();
      expect(names).toHaveLength(3001);
      expect(new Set(names).size).toBe(3001);
      expect(names).toContain('later');
    });

    test('list() gives what names() and stat() give, in the order of the bytes of the names', async () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      expect(unpackListing(directory.list())).toEqual([]);
      fs.writeFileSync(scratch.at('file'), 'some text', { mode: 0o640 });
      fs.linkSync(scratch.at('file'), scratch.at('another name'));
      fs.mkdirSync(scratch.at('directory'));
      fs.mkdirSync(scratch.at('directory-'));
      fs.symlinkSync('nowhere', scratch.at('link'));
      execFileSync('mkfifo', [scratch.at('fifo')]);
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(scratch.at('socket'), resolve));
      const odd = [[0xff, 0xfe], [0x0a], [0x20], [0x7f], [0xc3, 0xa9], [0x65, 0xcc, 0x81], Array<number>(255).fill(0x61)];
      for (const bytes of odd) fs.writeFileSync(Buffer.concat([Buffer.from(`${scratch.path}/`), Buffer.from(bytes)]), 'odd');
      fs.utimesSync(scratch.at('file'), new Date(-5000), new Date(-1500));

      const listed = unpackListing(directory.list());
      expect(listed.map(({ name }) => name)).toEqual(directory.names().sort());
      for (const { name, kind, isMountPoint, ...stat } of listed) {
        expect({ ...directory.stat(name), name }).toMatchObject({ name, kind, isMountPoint, ...stat });
      }
      fs.rmSync(scratch.at('file'));
      expect(directory.list().offsets).toHaveLength(listed.length - 1);
      server.close();
    });

    test('list() gives a directory of thousands of entries', () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      for (let count = 0; count < 5000; count++) fs.writeFileSync(scratch.at(`${'n'.repeat(40 + (count % 50))}${count}`), '');
      const names = unpackListing(directory.list()).map(({ name }) => name);
      expect(names).toEqual(directory.names().sort());
      fs.writeFileSync(scratch.at('a'), '');
      expect(unpackListing(directory.list())[0]?.name).toBe('a');
    });

    test('stat() tells every kind of entry', async () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      fs.writeFileSync(scratch.at('file'), 'x');
      fs.mkdirSync(scratch.at('directory'));
      fs.symlinkSync('file', scratch.at('link'));
      execFileSync('mkfifo', [scratch.at('fifo')]);
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(scratch.at('socket'), resolve));

      expect(directory.stat(b('file'))).toMatchObject({ kind: 'file', sizeBytes: 1, links: 1 });
      expect(directory.stat(b('directory'))?.kind).toBe('directory');
      expect(directory.stat(b('link'))).toMatchObject({ kind: 'symlink', sizeBytes: 4 });
      expect(directory.stat(b('fifo'))?.kind).toBe('fifo');
      expect(directory.stat(b('socket'))?.kind).toBe('socket');
      expect(directory.stat(b('nothing'))).toBeUndefined();
      using devices = createFiles().openDirectory(b('/dev'));
      expect(devices.stat(b('null'))?.kind).toBe('characterDevice');
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    });

    test('stat() tells what lstat(2) tells', () => {
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      fs.writeFileSync(scratch.at('file'), 'x'.repeat(5000), { mode: 0o640 });
      fs.linkSync(scratch.at('file'), scratch.at('other'));
      fs.chmodSync(scratch.at('file'), 0o6754);
      const real = fs.lstatSync(scratch.at('file'), { bigint: true });
      const stat = directory.stat(b('file'));
      expect(stat).toMatchObject({
        mode: 0o6754,
        sizeBytes: 5000,
        links: 2,
        uid: process.getuid?.(),
        inode: real.ino,
        blocks: Number(real.blocks),
        isMountPoint: false,
      });
      const nanoseconds = (seconds = 0, rest = 0) => BigInt(seconds) * 1_000_000_000n + BigInt(rest);
      expect(nanoseconds(stat?.mtimeSeconds, stat?.mtimeNanoseconds)).toBe(real.mtimeNs);
      expect(nanoseconds(stat?.ctimeSeconds, stat?.ctimeNanoseconds)).toBe(real.ctimeNs);
      // A file system that does not tell when a file was made gives nothing.
      const bornMs = real.birthtimeNs === 0n ? undefined : Math.trunc(Number(real.birthtimeNs / 1_000_000n));
      expect(stat?.bornMs && Math.trunc(stat.bornMs)).toBe(bornMs);
      directory.rename(b('file'), directory, b('renamed'));
      expect(directory.stat(b('renamed'))?.bornMs).toBe(stat?.bornMs);
      expect(stat?.device).toBe(directory.statSelf().device);
      expect(directory.statSelf().kind).toBe('directory');
    });

    test('stat() tells the space of a sparse file', () => {
      using place = openPlace(createFiles());
      fs.writeFileSync(place.scratch.at('sparse'), '');
      fs.truncateSync(place.scratch.at('sparse'), 2 ** 33);
      expect(place.directory.stat(b('sparse'))).toMatchObject({ sizeBytes: 2 ** 33, blocks: 0 });
    });

    test('readLink() gives the bytes of a target of any length, and fails for what is no link', () => {
      using place = openPlace(createFiles());
      const targets = ['/x', '../bad\xff\n', 'a'.repeat(4095)] as Bytes[];
      for (const [index, target] of targets.entries()) {
        place.directory.createSymlink(b(`l${index}`), target);
        expect(place.directory.readLink(b(`l${index}`))).toBe(target);
        expect(fs.readlinkSync(place.scratch.raw(`l${index}`), 'buffer').toString('latin1')).toBe(target);
      }
      fs.writeFileSync(place.scratch.at('file'), '');
      expectErrno(() => place.directory.readLink(b('file')), 'EINVAL');
      expectErrno(() => place.directory.readLink(b('nothing')), 'ENOENT');
    });

    test('openDirectory() opens below, and itself again for an empty path', () => {
      using place = openPlace(createFiles());
      fs.mkdirSync(place.scratch.at('a/b/c'), { recursive: true });
      using below = place.directory.openDirectory(b('a/b'));
      using again = place.directory.openDirectory(EMPTY);
      expect(below.names()).toEqual(['c']);
      expect(below.path).toBe(place.scratch.at('a/b'));
      expect(again.names()).toEqual(['a']);
      expect(again.statSelf().inode).toBe(place.directory.statSelf().inode);
      expectErrno(() => place.directory.openDirectory(b('nothing')), 'ENOENT');
      fs.writeFileSync(place.scratch.at('file'), '');
      expectErrno(() => place.directory.openDirectory(b('file')), 'ENOTDIR');
      expectErrno(() => place.directory.openFile(b('file/x')), 'ENOTDIR');
    });

    test('opens what lies deeper than a path can be long', () => {
      using place = openPlace(createFiles());
      const names = Array.from({ length: 30 }, (_, level) => String.fromCharCode(97 + (level % 26)).repeat(255) as Bytes);
      const opened: Directory[] = [place.directory];
      for (const name of names) {
        const last = opened.at(-1) as Directory;
        last.createDirectory(name, 0o700);
        opened.push(last.openDirectory(name));
      }
      {
        using file = (opened.at(-1) as Directory).createFile(b('deep'), 0o600);
        file.write(Buffer.from('found'));
      }
      const path = names.join('/') as Bytes;
      {
        using directory = place.directory.openDirectory(path);
        expect(directory.names()).toEqual(['deep']);
        using file = place.directory.openFile(`${path}/deep` as Bytes);
        const data = Buffer.alloc(10);
        expect(file.read(data)).toBe(5);
        expectErrno(() => place.directory.openFile(`${path}/none` as Bytes), 'ENOENT');
      }
      (opened.at(-1) as Directory).removeFile(b('deep'));
      for (let level = names.length; level > 0; level--) {
        if (level < names.length) (opened[level] as Directory).removeDirectory(names[level] as Bytes);
        opened[level]?.[Symbol.dispose]();
      }
      place.directory.removeDirectory(names[0] as Bytes);
    });

    test('refuses a name that is longer than the kernel takes', () => {
      using place = openPlace(createFiles());
      expectErrno(() => place.directory.createDirectory('x'.repeat(256) as Bytes, 0o700), 'ENAMETOOLONG');
      expectErrno(() => place.directory.openFile('x'.repeat(5000) as Bytes), 'ENAMETOOLONG');
      expectErrno(() => place.directory.createSymlink(b('l'), 'x'.repeat(5000) as Bytes), 'ENAMETOOLONG');
    });

    test('stops at another file system and tells its mount point', () => {
      using top = createFiles().openDirectory(b('/'));
      expect(top.stat(b('proc'))?.isMountPoint).toBe(true);
      expectErrno(() => top.openDirectory(b('proc')), 'EXDEV');
      expectErrno(() => top.openFile(b('proc/version')), 'EXDEV');
    });
  });
}
