import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { sensitivePlaces } from '../../../src/sandbox/sensitive.ts';
import { installationOf, toolchainRules } from '../../../src/sandbox/toolchains.ts';
import { fakeWorld, withPath } from './fake-facts.ts';

function shared(lines: readonly string[], ...path: readonly string[]): readonly string[] {
  const world = fakeWorld(lines, withPath(...path));
  const rules = toolchainRules([], world, sensitivePlaces(world));
  expect(rules.every(({ access }) => access.read && !access.write)).toBe(true);
  return [...new Set(rules.map((rule) => rule.path))].toSorted();
}

describe('toolchainRules()', () => {
  test.for([
    { layout: 'a prefix', lines: ['/home/u/.nvm/v20/bin/node'], path: '/home/u/.nvm/v20/bin', expected: ['/home/u/.nvm/v20'] },
    { layout: 'shims', lines: ['/home/u/.pyenv/shims/python'], path: '/home/u/.pyenv/shims', expected: ['/home/u/.pyenv'] },
    { layout: 'bin of the home itself', lines: ['/home/u/bin/x'], path: '/home/u/bin', expected: ['/home/u/bin'] },
    { layout: 'the home itself', lines: ['/home/u/x'], path: '/home/u', expected: [] },
    {
      layout: 'a shared place',
      lines: ['/home/u/.local/bin/x', '/home/u/.local/share/private'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin'],
    },
    {
      layout: 'a link out of a shared place',
      lines: ['/home/u/.local/bin/x -> ../share/tools/x/bin/x', '/home/u/.local/share/tools/x/bin/x'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin', '/home/u/.local/share/tools/x'],
    },
    {
      layout: 'an environment made from another interpreter',
      lines: [
        '/home/u/.local/bin/x -> ../share/pipx/venvs/x/bin/x',
        '/home/u/.local/share/pipx/venvs/x/bin/x',
        '/home/u/.local/share/pipx/venvs/x/bin/python -> /home/u/.pyenv/versions/3.12/bin/python3.12',
        '/home/u/.pyenv/versions/3.12/bin/python3.12',
      ],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin', '/home/u/.local/share/pipx/venvs/x', '/home/u/.pyenv/versions/3.12'],
    },
    {
      layout: 'rustup',
      lines: [
        '/home/u/.cargo/bin/cargo',
        '/home/u/.cargo/config.toml',
        '/home/u/.cargo/credentials.toml',
        '/home/u/.rustup/settings.toml',
      ],
      path: '/home/u/.cargo/bin',
      expected: ['/home/u/.cargo/bin', '/home/u/.cargo/config.toml', '/home/u/.rustup'],
    },
    {
      layout: 'a prefix that holds something sensitive',
      lines: ['/home/u/tools/bin/x', '/home/u/.ssh -> tools/keys', '/home/u/tools/keys/id'],
      path: '/home/u/tools/bin',
      expected: ['/home/u/tools/bin'],
    },
    {
      layout: 'a link to something sensitive',
      lines: ['/home/u/.local/bin/x -> /home/u/.ssh/id', '/home/u/.ssh/id'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin'],
    },
    { layout: 'a place outside the home', lines: ['/srv/tools/bin/x'], path: '/srv/tools/bin', expected: [] },
    {
      layout: 'the project',
      lines: ['/home/u/project/node_modules/.bin/x'],
      path: '/home/u/project/node_modules/.bin',
      expected: ['/home/u/project/node_modules'],
    },
    {
      layout: 'a package whose dependencies are beside it',
      lines: [
        '/home/u/tools/node_modules/.bin/x -> ../@s/x/bin/x.js',
        '/home/u/tools/node_modules/@s/x/bin/x.js',
        '/home/u/tools/.npmrc',
      ],
      path: '/home/u/tools/node_modules/.bin',
      expected: ['/home/u/tools/node_modules'],
    },
    {
      layout: 'a directory that is called .bin',
      lines: ['/home/u/x/.bin/y'],
      path: '/home/u/x/.bin',
      expected: ['/home/u/x/.bin'],
    },
  ])('shares what belongs to $layout', ({ lines, path, expected }) => {
    expect(shared(lines, path)).toEqual(expected);
  });
});

describe('installationOf()', () => {
  test.for([
    { path: '/home/u/.a/bin/x', expected: '/home/u/.a' },
    { path: '/home/u/.a/lib/node_modules/pkg/bin/x.js', expected: '/home/u/.a/lib/node_modules/pkg' },
    { path: '/home/u/.a/lib/node_modules/@s/pkg/x.js', expected: '/home/u/.a/lib/node_modules/@s/pkg' },
    { path: '/home/u/.a/versions/1.2', expected: '/home/u/.a/versions' },
    { path: '/home/u/x', expected: undefined },
  ])('of $path is $expected', ({ path, expected }) => {
    expect(installationOf(path as Bytes, '/home/u' as Bytes)).toBe(expected);
  });
});
