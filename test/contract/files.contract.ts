import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { SystemError } from '../../src/errors.ts';
import type { Directory, FileKind, Files } from '../../src/ports/files.ts';
import { type Listing, RECORD, RECORD_KINDS, unpackStat } from '../../src/ports/listing.ts';
import { createScratchDirectory, type Scratch } from '../support/scratch.ts';
import { describeSmallFiles } from './small-files.contract.ts';

const EMPTY = '' as Bytes;

/** Names that break programs which take a name for text, for a word of a shell or for an option. */
export const HOSTILE_NAMES: readonly Bytes[] = [
  'new\nline',
  'bad\xff\xfe',
  '\xe9'.repeat(255),
  ' ',
  '-rf',
  '*',
  '\\',
  '$(touch x)',
  '\x1b[2J',
  'quote"\'',
  'e\xcc\x81',
  '...',
] as unknown as readonly Bytes[];

export function errnoOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof SystemError) return error.errno;
    throw error;
  }
}

/** Expects a refusal, and the tree to be as it was. */
export function expectErrno(run: () => unknown, ...errnos: readonly string[]): void {
  expect(errnos).toContain(errnoOf(run));
}

const b = (text: string): Bytes => bytesFromText(text);

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

interface Place extends Disposable {
  readonly scratch: Scratch;
  readonly directory: Directory;
}

/** A listing as the rest of the port would tell it. */
function unpackListing({ bytes, offsets }: Listing) {
  const kinds = new Map(Object.entries(RECORD_KINDS).map(([kind, code]) => [code, kind as FileKind]));
  return Array.from(offsets, (at) => {
    const nameLength = bytes.readUInt16LE(at + RECORD.nameLength);
    const name = bytes.toString('latin1', at + RECORD.name, at + RECORD.name + nameLength) as Bytes;
    expect(bytes.subarray(at + RECORD.statEnd, at + RECORD.name).every((byte) => byte === 0)).toBe(true);
    const kind = kinds.get(bytes[at + RECORD.kind] as number);
    return { ...unpackStat(bytes, at), name, kind, isMountPoint: bytes[at + RECORD.isMountPoint] === 1 };
  });
}

export function openPlace(files: Files): Place {
  const scratch = createScratchDirectory();
  const directory = files.openDirectory(scratch.bytes);
  return {
    scratch,
    directory,
    [Symbol.dispose]: () => {
      directory[Symbol.dispose]();
      scratch[Symbol.dispose]();
    },
  };
}

function describeReading(name: string, createFiles: () => Files): void {
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

function describeNames(name: string, createFiles: () => Files): void {
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

function describeKeeping(name: string, createFiles: () => Files): void {
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

function describeNotFollowing(name: string, createFiles: () => Files): void {
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
