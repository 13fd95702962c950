import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));
/** Whole statements at the start of a line; those of types alone are gone when the code runs. */
const STATIC_IMPORT = /^(?:import|export)(?! type\b)[^'";]*from '(?<path>[^']+)'|^import '(?<bare>[^']+)'/gm;

/** All that is loaded with a module, as paths below src, and the packages. */
export function loadedWith(entry: string): ReadonlySet<string> {
  const loaded = new Set<string>();
  const follow = (path: string): void => {
    if (loaded.has(relative(SOURCES, path))) return;
    loaded.add(relative(SOURCES, path));
    for (const { groups } of readFileSync(path, 'utf8').matchAll(STATIC_IMPORT)) {
      const name = groups?.['path'] ?? groups?.['bare'] ?? '';
      if (!name.startsWith('.')) loaded.add(name);
      else if (name.endsWith('.ts')) follow(join(dirname(path), name));
    }
  };
  follow(join(SOURCES, entry));
  return loaded;
}
