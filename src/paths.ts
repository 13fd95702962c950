import type { Bytes } from './bytes.ts';

/** Pure operations on absolute and relative byte paths; none of them looks at a file system. */

const SLASH = '/';
const SLASH_CODE = 0x2f;

/** `directory` and `name` joined; an empty directory gives `name`, an empty name gives `directory`. */
export function joinPath(directory: Bytes, name: Bytes): Bytes {
  if (directory === '') return name;
  if (name === '') return directory;
  return (directory.endsWith(SLASH) ? `${directory}${name}` : `${directory}/${name}`) as Bytes;
}

/** The last component, '' for the root directory. */
export function baseName(path: Bytes): Bytes {
  return path.slice(path.lastIndexOf(SLASH) + 1) as Bytes;
}

/** What is before the last component: '/' for `/a`, '' for a relative path of one component. */
export function parentPath(path: Bytes): Bytes {
  const at = path.lastIndexOf(SLASH);
  if (at > 0) return path.slice(0, at) as Bytes;
  return (at === 0 ? SLASH : '') as Bytes;
}

/** `path` made absolute below `base`, with `.`, `..` and doubled slashes resolved by name only. */
export function resolvePath(base: Bytes, path: Bytes): Bytes {
  const parts: string[] = [];
  for (const part of (path.startsWith(SLASH) ? path : `${base}/${path}`).split(SLASH)) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join(SLASH)}` as Bytes;
}

/** True when `path` is `directory` or lies below it; both absolute and resolved. */
export function isWithin(path: Bytes, directory: Bytes): boolean {
  if (directory === SLASH || path === directory) return true;
  return path.startsWith(directory) && path.charCodeAt(directory.length) === SLASH_CODE;
}

/** `path` relative to `directory`, '' when they are equal. Call only when isWithin() holds. */
export function relativePath(path: Bytes, directory: Bytes): Bytes {
  if (path === directory) return '' as Bytes;
  return path.slice(directory === SLASH ? 1 : directory.length + 1) as Bytes;
}

/** `path` with the home directory written as `~`, for people. */
export function tildePath(path: Bytes, home: Bytes): Bytes {
  if (home === '' || home === SLASH || !isWithin(path, home)) return path;
  return `~${path.slice(home.length)}` as Bytes;
}
