import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const top = resolve(import.meta.dirname, '../..');
const files = ['src', 'scripts', 'test'].flatMap((folder) =>
  readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
);
const pages = files.filter((path) => path.endsWith('.md'));
const names = new Set(files.map((path) => basename(path)));

describe('the design pages', () => {
  test.for(pages)('%s links to what is there', (page) => {
    const text = readFileSync(join(top, page), 'utf8');
    const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, link]) => link ?? '');

    expect(links.filter((link) => !existsSync(join(top, dirname(page), link)))).toEqual([]);
  });

  test.for(pages)('%s names files that there are', (page) => {
    const text = readFileSync(join(top, page), 'utf8');
    const named = Array.from(text.matchAll(/`(?:[\w./-]*\/)?([\w.-]+\.(?:ts|c|mjs))`/g), ([, name]) => name ?? '');

    expect(named.filter((name) => !names.has(name) && !/^[A-Z]/.test(name))).toEqual([]);
  });

  test('src/README.md is one page', () => {
    expect(readFileSync(join(top, 'src/README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(126);
  });
});
