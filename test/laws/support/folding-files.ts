import { type Bytes, bufferFromBytes } from '../../../src/bytes.ts';
import { isErrno } from '../../../src/errors.ts';
import type { Directory, Files } from '../../../src/ports/files.ts';

/** The words of these are names in the directory that is asked. */
const NAMES: Readonly<Record<string, number>> = {
  stat: 1,
  readLink: 1,
  openDirectory: 1,
  openFile: 1,
  createFile: 1,
  openForAppend: 1,
  createDirectory: 1,
  createSymlink: 1,
  removeFile: 1,
  removeDirectory: 1,
  setMode: 1,
  setModificationTime: 1,
  link: 2,
  rename: 2,
  renameNew: 2,
};

function fold(name: Bytes): string {
  return bufferFromBytes(name).toString('utf8').normalize('NFD').toLowerCase();
}

/** The name of what the file system finds by `path`, whatever the case of its letters. */
function nameThere(directory: Directory, path: Bytes): Bytes {
  if (path === '' || isThere(directory, path)) return path;
  const parent = path.includes('/') ? nameThere(directory, path.slice(0, path.lastIndexOf('/')) as Bytes) : ('' as Bytes);
  const name = path.slice(path.lastIndexOf('/') + 1) as Bytes;
  if (parent !== '' && directory.stat(parent)?.kind !== 'directory') return path;
  const there = namesIn(directory, parent).find((other) => fold(other) === fold(name)) ?? name;
  return (parent === '' ? there : `${parent}/${there}`) as Bytes;
}

function namesIn(directory: Directory, path: Bytes): readonly Bytes[] {
  if (path === '') return directory.names();
  using below = directory.openDirectory(path);
  return below.names();
}

function isThere(directory: Directory, path: Bytes): boolean {
  try {
    return directory.stat(path) !== undefined;
  } catch (error) {
    if (isErrno(error, 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
}

/** The file system as it is on macOS and Windows: names that differ by case, or by how an accent is written, are one. */
export function makeFolding(files: Files): Files {
  const targets = new WeakMap<object, Directory>();
  const wrap = (target: Directory): Directory => {
    const wrapped = new Proxy(target, {
      get(_, method) {
        const value: unknown = Reflect.get(target, method, target);
        if (typeof value !== 'function') return value;
        const names = NAMES[String(method)] ?? 0;
        return (...words: readonly unknown[]) => {
          const [first, second, third] = words;
          const own = typeof second === 'object' && second !== null ? (targets.get(second) ?? second) : second;
          const rest = words.slice(2);
          if (names === 2) rest[0] = nameThere(own as Directory, third as Bytes);
          const all = names === 0 ? words : [nameThere(target, first as Bytes), own, ...rest].slice(0, words.length);
          const result: unknown = Reflect.apply(value, target, all);
          return method === 'openDirectory' ? wrap(result as Directory) : result;
        };
      },
    });
    targets.set(wrapped, target);
    return wrapped;
  };
  return {
    ...files,
    openDirectory: (path) => wrap(files.openDirectory(path)),
    openWithoutLinks: (path) => wrap(files.openWithoutLinks(path)),
  };
}
