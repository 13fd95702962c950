import type { Bytes } from '../bytes.ts';
import { isWithin, joinPath, relativePath } from '../paths.ts';
import type { Mount } from '../ports/path-facts.ts';

/**
 * The other paths by which a path is reached where its file system, or a part of one, is mounted in several places: a home directory under the name
 * that it has on the host of a container, too. A rule of Landlock holds for the directory and not for its name.
 *
 * @param path Absolute, links resolved.
 */
export function otherNames(path: Bytes, mounts: readonly Mount[]): readonly Bytes[] {
  let own: Mount | undefined;
  for (const mount of mounts) {
    if (isWithin(path, mount.path) && (own === undefined || mount.path.length >= own.path.length)) own = mount;
  }
  if (own === undefined) return [];
  const { fileSystem, root, path: from } = own;
  const inside = joinPath(root, relativePath(path, from));
  const names: Bytes[] = [];
  for (const mount of mounts) {
    if (mount === own || mount.fileSystem !== fileSystem) continue;
    if (isWithin(inside, mount.root)) names.push(joinPath(mount.path, relativePath(inside, mount.root)));
    // A part of it.
    else if (isWithin(mount.root, inside)) names.push(mount.path);
  }
  return names.filter((name) => name !== path);
}
