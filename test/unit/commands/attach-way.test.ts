import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCES = fileURLToPath(new URL('../../../src', import.meta.url));
/** Whole statements at the start of a line; those of types alone are gone when the code runs. */
const STATIC_IMPORT = /^(?:import|export)(?! type\b)[^'";]*from '(?<path>[^']+)'|^import '(?<bare>[^']+)'/gm;

/** All that is loaded with a module, as paths below src, and the packages. */
function loadedWith(entry: string): ReadonlySet<string> {
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

test('who attaches waits neither for the model of the terminal nor for the tables of other verbs', () => {
  const loaded = [...loadedWith('commands/session/attach.ts'), ...loadedWith('platform/start.ts')];

  expect(loaded).toContain('session/attach-client.ts');
  expect(loaded).toContain('cli.ts');
  expect(loaded.filter((path) => /xterm|terminal\/model|commands\/index|cli-verbs|rollback\/review/.test(path))).toEqual([]);
  // What it would have been: the test sees what is loaded.
  expect([...loadedWith('commands/session/screen.ts')]).toContain('@xterm/headless');
});
