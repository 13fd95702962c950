import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import type { Files } from '../../src/ports/files.ts';
import { nameIn, unpackStat } from '../../src/ports/listing.ts';
import { needOtherUser } from '../support/tools.ts';
import { errnoOf, expectErrno, openPlace } from './file-places.ts';

const b = (text: string): Bytes => bytesFromText(text);

/** Seconds and nanoseconds that a double cannot hold, that lie before 1970, and past 2038 and 2106. */
const TIMES = [
  [0, 0],
  [1_700_000_000, 123_456_789],
  [1_700_000_000, 999_999_999],
  [-1, 0],
  [-1, 999_999_999],
  [-1_000_000_000, 1],
  [2 ** 31, 7],
  [10_000_000_000, 999_999_999],
] as const;

function withUmask(mask: number, run: () => void): void {
  const before = process.umask(mask);
  try {
    run();
  } finally {
    process.umask(before);
  }
}

/** What changes a directory, for every Files adapter. */
export function describeDirectoryChanges(name: string, createFiles: () => Files): void {
  describe(`${name} Directory, changing`, () => {
    test.for([0o600, 0o644, 0o666, 0o777, 0o400, 0o000, 0o4755, 0o2711, 0o1777, 0o6777])(
      'the mode %o is exact under any umask',
      (mode) => {
        using place = openPlace(createFiles());
        const { directory } = place;
        for (const umask of [0o077, 0o022, 0o777]) {
          if (umask === 0o777 && (mode & 0o7077) === 0) continue;
          withUmask(umask, () => {
            directory.createFile(b('file'), mode)[Symbol.dispose]();
            directory.createDirectory(b('directory'), mode);
          });
          expect(directory.stat(b('file'))?.mode).toBe(mode);
          expect(directory.stat(b('directory'))?.mode).toBe(mode);
          directory.setMode(b('file'), 0o600);
          directory.setMode(b('file'), mode);
          directory.setMode(b('directory'), 0o700);
          directory.setMode(b('directory'), mode);
          expect(directory.stat(b('file'))?.mode).toBe(mode);
          expect(directory.stat(b('directory'))?.mode).toBe(mode);
          directory.removeFile(b('file'));
          directory.removeDirectory(b('directory'));
        }
      },
    );

    test('stat() and list() leave out of a file’s mode what would lend our rights to another user', (context) => {
      needOtherUser(context);
      using place = openPlace(createFiles());
      const { scratch, directory } = place;
      const owners = { ours: [0, 0], user: [65_534, 0], group: [0, 65_534], both: [65_534, 65_534] } as const;
      for (const [name, [uid, gid]] of Object.entries(owners)) {
        fs.writeFileSync(scratch.at(name), name);
        fs.mkdirSync(scratch.at(`${name}.d`));
        for (const path of [name, `${name}.d`]) {
          fs.chownSync(scratch.at(path), uid, gid);
          fs.chmodSync(scratch.at(path), 0o6755);
        }
      }
      const expected = { ours: 0o6755, user: 0o2755, group: 0o4755, both: 0o755 };
      const { bytes, offsets } = directory.list();
      const listed = new Map(Array.from(offsets, (at) => [String(nameIn(bytes, at)), unpackStat(bytes, at).mode]));
      for (const [name, mode] of Object.entries(expected)) {
        const told = { file: directory.stat(b(name))?.mode, directory: directory.stat(b(`${name}.d`))?.mode };
        expect(told).toEqual({ file: mode, directory: 0o6755 });
        expect({ file: listed.get(name), directory: listed.get(`${name}.d`) }).toEqual(told);
      }
    });

    test.for(TIMES)('setModificationTime() sets %i s and %i ns exactly and leaves the access time', ([seconds, nanoseconds]) => {
      using place = openPlace(createFiles());
      const { directory, scratch } = place;
      fs.writeFileSync(scratch.at('file'), '');
      fs.mkdirSync(scratch.at('directory'));
      fs.symlinkSync('file', scratch.at('link'));
      const accessed = fs.lstatSync(scratch.at('file'), { bigint: true }).atimeNs;
      for (const entry of ['file', 'directory', 'link']) {
        directory.setModificationTime(b(entry), seconds, nanoseconds);
        expect(directory.stat(b(entry))).toMatchObject({ mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds });
      }
      expect(fs.lstatSync(scratch.at('file'), { bigint: true }).atimeNs).toBe(accessed);
      {
        using file = directory.createFile(b('open'), 0o600);
        file.setModificationTime(seconds, nanoseconds);
        expect(file.stat()).toMatchObject({ mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds });
      }
    });

    test('setModificationTime() fails for what is not there', () => {
      using place = openPlace(createFiles());
      expectErrno(() => place.directory.setModificationTime(b('nothing'), 1, 1), 'ENOENT');
      expectErrno(() => place.directory.setMode(b('nothing'), 0o600), 'ENOENT');
      expect(place.directory.names()).toEqual([]);
    });

    test('createFile() fails with EEXIST for whatever is there', () => {
      using place = openPlace(createFiles());
      const { directory } = place;
      directory.createFile(b('file'), 0o600)[Symbol.dispose]();
      directory.createDirectory(b('directory'), 0o700);
      for (const entry of ['file', 'directory']) expectErrno(() => directory.createFile(b(entry), 0o600), 'EEXIST');
      expectErrno(() => directory.createDirectory(b('file'), 0o700), 'EEXIST');
    });

    test('link() gives a second name, of a link itself too, and fails with EEXIST', () => {
      using place = openPlace(createFiles());
      const { directory, scratch } = place;
      directory.createDirectory(b('other'), 0o700);
      using other = directory.openDirectory(b('other'));
      fs.writeFileSync(scratch.at('file'), '');
      directory.link(b('file'), other, b('second'));
      expect(other.stat(b('second'))?.inode).toBe(directory.stat(b('file'))?.inode);
      expectErrno(() => directory.link(b('file'), other, b('second')), 'EEXIST');
      fs.symlinkSync('nowhere', scratch.at('link'));
      expectErrno(() => directory.link(b('file'), directory, b('link')), 'EEXIST');
      directory.link(b('link'), other, b('link'));
      expect(other.stat(b('link'))?.kind).toBe('symlink');
      expectErrno(() => directory.link(b('nothing'), other, b('x')), 'ENOENT');
    });

    test('rename() replaces files and links, and no directory that holds something', () => {
      using place = openPlace(createFiles());
      const { directory, scratch } = place;
      fs.writeFileSync(scratch.at('new'), 'new');
      fs.writeFileSync(scratch.at('target'), 'old');
      fs.symlinkSync('target', scratch.at('link'));
      directory.rename(b('new'), directory, b('link'));
      expect(fs.readFileSync(scratch.at('link'), 'utf8')).toBe('new');
      expect(fs.readFileSync(scratch.at('target'), 'utf8')).toBe('old');
      fs.mkdirSync(scratch.at('full/inner'), { recursive: true });
      fs.mkdirSync(scratch.at('empty'));
      expectErrno(() => directory.rename(b('empty'), directory, b('full')), 'ENOTEMPTY', 'EEXIST');
      expectErrno(() => directory.rename(b('link'), directory, b('empty')), 'EISDIR');
      expectErrno(() => directory.rename(b('nothing'), directory, b('x')), 'ENOENT');
      using full = directory.openDirectory(b('full'));
      directory.rename(b('link'), full, b('moved'));
      expect(full.names().sort()).toEqual(['inner', 'moved']);
    });

    test('removeFile() and removeDirectory() take only what they are for', () => {
      using place = openPlace(createFiles());
      const { directory, scratch } = place;
      fs.mkdirSync(scratch.at('full/inner'), { recursive: true });
      fs.symlinkSync('full', scratch.at('link'));
      expectErrno(() => directory.removeFile(b('full')), 'EISDIR', 'EPERM');
      expectErrno(() => directory.removeDirectory(b('full')), 'ENOTEMPTY');
      expectErrno(() => directory.removeDirectory(b('link')), 'ENOTDIR');
      expectErrno(() => directory.removeFile(b('nothing')), 'ENOENT');
      directory.removeFile(b('link'));
      expect(directory.names()).toEqual(['full']);
    });

    test('sync() and syncFileSystem() succeed', () => {
      using place = openPlace(createFiles());
      place.directory.sync();
      place.directory.syncFileSystem();
      expect(place.directory.names()).toEqual([]);
    });

    test('a disposed directory is closed, once', () => {
      using place = openPlace(createFiles());
      const again = place.directory.openDirectory('' as Bytes);
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const open = descriptors();
      again[Symbol.dispose]();
      again[Symbol.dispose]();
      expect(descriptors()).toBe(open - 1);
      expect(errnoOf(() => again.names())).toBeDefined();
    });

    test('a refusal leaves no descriptor open', () => {
      using place = openPlace(createFiles());
      const { directory, scratch } = place;
      fs.mkdirSync(scratch.at('a/b'), { recursive: true });
      fs.symlinkSync('b', scratch.at('a/link'));
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const open = descriptors();
      for (const path of ['a/link/x', 'a/b/none', 'a/../../x', 'a/none/x', 'a/link']) {
        errnoOf(() => directory.openFile(b(path)));
        errnoOf(() => directory.openDirectory(b(path)));
      }
      errnoOf(() => directory.setMode(b('a/link'), 0o600));
      expect(descriptors()).toBe(open);
    });
  });

  describeOpenFile(name, createFiles);
}

function describeOpenFile(name: string, createFiles: () => Files): void {
  describe(`${name} OpenFile`, () => {
    test('write() writes all and read() reads it from the start again after rewind()', () => {
      using place = openPlace(createFiles());
      const data = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 7) % 251));
      {
        using file = place.directory.createFile(b('file'), 0o600);
        file.write(data.subarray(0, 10));
        file.write(data.subarray(10));
        file.sync();
      }
      using file = place.directory.openFile(b('file'));
      for (let round = 0; round < 2; round++) {
        const back = Buffer.alloc(data.length + 10);
        let length = 0;
        for (let got = file.read(back); got > 0; got = file.read(back.subarray(length))) length += got;
        expect(length).toBe(data.length);
        expect(back.subarray(0, length).equals(data)).toBe(true);
        expect(file.read(back)).toBe(0);
        file.rewind();
      }
      expect(() => file.write(Buffer.from('x'))).toThrow(/EBADF/);
    });

    test('openForAppend() creates, appends and keeps what is there', () => {
      using place = openPlace(createFiles());
      for (const line of ['one', 'two']) {
        using file = place.directory.openForAppend(b('log'), 0o600);
        file.write(Buffer.from(line));
      }
      expect(fs.readFileSync(place.scratch.at('log'), 'utf8')).toBe('onetwo');
    });

    test('stays with its file when the name is taken by another', () => {
      using place = openPlace(createFiles());
      fs.writeFileSync(place.scratch.at('file'), 'mine');
      using file = place.directory.openFile(b('file'));
      fs.writeFileSync(place.scratch.at('new'), 'other content');
      fs.renameSync(place.scratch.at('new'), place.scratch.at('file'));
      expect(file.stat().sizeBytes).toBe(4);
    });

    test('setMode() is exact', () => {
      using place = openPlace(createFiles());
      using file = place.directory.createFile(b('file'), 0o600);
      for (const mode of [0o4755, 0o000, 0o644]) {
        withUmask(0o077, () => file.setMode(mode));
        expect(file.stat().mode).toBe(mode);
      }
    });

    test('tryLock() excludes every other handle until it is disposed', () => {
      using place = openPlace(createFiles());
      const first = place.directory.openForAppend(b('lock'), 0o600);
      expect(first.tryLock()).toBe(true);
      expect(first.tryLock()).toBe(true);
      {
        using second = place.directory.openForAppend(b('lock'), 0o600);
        expect(second.tryLock()).toBe(false);
      }
      first[Symbol.dispose]();
      using third = place.directory.openForAppend(b('lock'), 0o600);
      expect(third.tryLock()).toBe(true);
    });

    test('cloneFrom() gives the same content or says that it cannot', () => {
      using place = openPlace(createFiles());
      fs.writeFileSync(place.scratch.at('source'), 'x'.repeat(100_000));
      using source = place.directory.openFile(b('source'));
      using copy = place.directory.createFile(b('copy'), 0o600);
      const isCloned = copy.cloneFrom(source);
      expect(fs.statSync(place.scratch.at('copy')).size).toBe(isCloned ? 100_000 : 0);
      using other = createFiles().openDirectory(b('/proc'));
      using version = other.openFile(b('version'));
      using none = place.directory.createFile(b('none'), 0o600);
      expect(none.cloneFrom(version)).toBe(false);
    });
  });
}
