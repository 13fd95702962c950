import type { Bytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { isWithin, joinPath, parentPath } from '../paths.ts';
import { LINKS_MAXIMUM, readLinkQuietly } from './look-up.ts';
import type { PathRule } from './plan.ts';
import type { World } from './policy.ts';

/**
 * Where an earlier run of the command may have put files and links: what this one may write. Its rules must not be
 * chosen by what lies there.
 */
export class Plantable {
  readonly #world: World;
  readonly #directories: readonly Bytes[];

  constructor(rules: readonly PathRule[], world: World) {
    this.#world = world;
    this.#directories = collect(rules, ({ path, isDirectory, access }) => (isDirectory && access.write ? [path] : []));
  }

  /** @param path Links resolved. */
  has(path: Bytes): boolean {
    return this.#directories.some((directory) => isWithin(path, directory));
  }

  /**
   * The link there that leads a path out of there.
   *
   * @param written As it was given: absolute, or relative to the working directory.
   * @param resolved What it means.
   */
  linkOutOn(written: Bytes, resolved: Bytes): Bytes | undefined {
    const path = absolute(written, this.#world.workingDirectory);
    if (path === resolved || this.#directories.length === 0 || this.has(resolved)) return undefined;
    return linksOn(path, this.#world).findLast((link) => this.has(link));
  }
}

/** Not cleaned by name: `link/..` is what the kernel says it is. */
export function absolute(path: Bytes, workingDirectory: Bytes): Bytes {
  return path.startsWith('/') ? path : joinPath(workingDirectory, path);
}

/** All links that are met on the way along a path, those that links lead to included; each as a path without links before it. */
function linksOn(path: Bytes, { facts }: World): readonly Bytes[] {
  const links: Bytes[] = [];
  const names = wordsOf(path);
  let at = '/' as Bytes;
  for (let name = names.pop(); name !== undefined && links.length < LINKS_MAXIMUM; name = names.pop()) {
    if (name === '..') at = parentPath(at) || ('/' as Bytes);
    else {
      const next = joinPath(at, name);
      const target = readLinkQuietly(facts, next);
      if (target === undefined) at = next;
      else {
        links.push(next);
        if (target.startsWith('/')) at = '/' as Bytes;
        names.push(...wordsOf(target));
      }
    }
  }
  return links;
}

/** The last one first. */
function wordsOf(path: Bytes): Bytes[] {
  return path
    .split('/')
    .filter((word) => word !== '' && word !== '.')
    .reverse() as Bytes[];
}
