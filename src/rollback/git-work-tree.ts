import type { Bytes } from '../bytes.ts';
import { joinPath, parentPath, relativePath, resolvePath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import { parseGitConfig } from './git-config.ts';
import { hasName, hasNameBelow, parseGitIndex } from './git-index.ts';
import { unlessUnreadable } from './git-unreadable.ts';
import type { Rules } from './rules.ts';
import { readSmallFile } from './small-file.ts';

const GIT_DIRECTORY = '.git' as Bytes;
const IGNORE_FILE = '.gitignore' as Bytes;
const INDEX_BYTES_MAXIMUM = 512 * 1024 * 1024;
/** Git writes each byte of an index: one with holes is somebody's who wants us to read much. A file system that compresses does not save this. */
const SAVED_MAXIMUM = 16;
const BLOCK_BYTES = 512;
const CONFIG_BYTES_MAXIMUM = 1024 * 1024;
const OBJECT_FORMAT = 'extensions.objectformat' as Bytes;

/** The top of the git work tree that holds `path`, or undefined. */
export function findWorkTreeTop(files: Files, path: Bytes): Bytes | undefined {
  for (let directory = path; ; directory = parentPath(directory)) {
    const found = unlessUnreadable(() => files.stat(joinPath(directory, GIT_DIRECTORY)), undefined);
    if (found !== undefined) return directory;
    if (directory === '/') return undefined;
  }
}

/** Adds the ignore files of the directories above `root` up to the top of its work tree, outermost first. */
export function addIgnoreFilesAbove(files: Files, root: Bytes, top: Bytes | undefined, rules: Rules): void {
  if (top === undefined || top === root) return;
  const above: Bytes[] = [];
  for (let directory = parentPath(root); ; directory = parentPath(directory)) {
    above.unshift(directory);
    if (directory === top) break;
  }
  for (const directory of above) {
    using opened = files.openDirectory(directory);
    const text = readSmallFile(opened, IGNORE_FILE);
    if (text !== undefined) rules.addIgnoreFile('' as Bytes, relativePath(root, directory), text);
  }
}

/** What git tracks below a root: of the work tree that the root is in, and of those that begin below it. */
export class GitTracked {
  readonly #files: Files;
  readonly #root: Bytes;
  /** By the absolute path of a work tree's top: the sorted names of its index, read when first asked for. */
  readonly #indexes = new Map<Bytes, () => readonly Bytes[]>();

  constructor(files: Files, root: Bytes, top: Bytes | undefined) {
    this.#files = files;
    this.#root = root;
    if (top !== undefined) this.addWorkTree(top);
  }

  /** @param top Absolute. */
  addWorkTree(top: Bytes): void {
    let names: readonly Bytes[] | undefined;
    this.#indexes.set(top, () => {
      names ??= unlessUnreadable(() => readIndex(this.#files, top), []);
      return names;
    });
  }

  /** The tops of the work trees that are known by now. */
  get tops(): Bytes[] {
    return [...this.#indexes.keys()];
  }

  /** @param path Relative to the root. */
  isFile(path: Bytes): boolean {
    const found = this.#find(path);
    return found !== undefined && hasName(found.names, found.name);
  }

  /** @param directory Relative to the root. */
  hasBelow(directory: Bytes): boolean {
    const found = this.#find(directory);
    return found !== undefined && hasNameBelow(found.names, found.name);
  }

  #find(path: Bytes): { readonly names: readonly Bytes[]; readonly name: Bytes } | undefined {
    const absolute = joinPath(this.#root, path);
    for (let top = parentPath(absolute); ; top = parentPath(top)) {
      const names = this.#indexes.get(top);
      if (names !== undefined) return { names: names(), name: relativePath(absolute, top) };
      if (top === '/') return undefined;
    }
  }
}

/** The names of a work tree's index; none where there is no index that we understand. */
function readIndex(files: Files, top: Bytes): readonly Bytes[] {
  const directory = gitDirectory(files, top);
  if (directory === undefined || files.stat(directory)?.kind !== 'directory') return [];
  using opened = files.openDirectory(directory);
  const index = readIndexFile(opened, 'index' as Bytes);
  if (index === undefined) return [];
  const config = readSmallFile(opened, 'config' as Bytes, CONFIG_BYTES_MAXIMUM) ?? ('' as Bytes);
  const format = parseGitConfig(config).get(OBJECT_FORMAT)?.at(-1)?.toLowerCase() === 'sha256' ? 'sha256' : 'sha1';
  const parse = (file: Bytes | undefined) =>
    file === undefined ? [] : (parseGitIndex(Buffer.from(file, 'latin1'), format) ?? []);
  // A split index keeps most names in a shared file; one name too many only means that a file is tracked.
  const shared = opened.names().filter((name) => name.startsWith('sharedindex.'));
  if (shared.length === 0) return parse(index);
  const names = new Set([index, ...shared.map((name) => readIndexFile(opened, name))].flatMap(parse));
  return [...names].sort();
}

function readIndexFile(git: Directory, name: Bytes): Bytes | undefined {
  const stat = git.stat(name);
  // Some file systems do not tell what they use.
  const isSparse = stat !== undefined && stat.blocks > 0 && stat.blocks * BLOCK_BYTES * SAVED_MAXIMUM < stat.sizeBytes;
  return isSparse ? undefined : readSmallFile(git, name, INDEX_BYTES_MAXIMUM);
}

/** `.git` itself, or what a `.git` file of a linked work tree or submodule points to. */
function gitDirectory(files: Files, top: Bytes): Bytes | undefined {
  using opened = files.openDirectory(top);
  const stat = opened.stat(GIT_DIRECTORY);
  if (stat?.kind === 'directory') return joinPath(top, GIT_DIRECTORY);
  if (stat?.kind !== 'file') return undefined;
  const pointer = /^gitdir: (.+?)\r?\n?$/.exec(readSmallFile(opened, GIT_DIRECTORY, CONFIG_BYTES_MAXIMUM) ?? '');
  return pointer === null ? undefined : resolvePath(top, pointer[1] as Bytes);
}
