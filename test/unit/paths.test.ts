import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { baseName, isWithin, joinPath, parentPath, relativePath, resolvePath, tildePath } from '../../src/paths.ts';

const b = bytesFromText;

describe('joinPath()', () => {
  test.for([
    ['/a', 'b', '/a/b'],
    ['/', 'b', '/b'],
    ['/a/', 'b', '/a/b'],
    ['', 'b', 'b'],
    ['/a', '', '/a'],
    ['', '', ''],
  ] as const)('%j and %j give %j', ([directory, name, expected]) => {
    expect(joinPath(b(directory), b(name))).toBe(expected);
  });
});

describe('baseName() and parentPath()', () => {
  test.for([
    ['/a/b', 'b', '/a'],
    ['/a', 'a', '/'],
    ['/', '', '/'],
    ['a/b', 'b', 'a'],
    ['a', 'a', ''],
    ['', '', ''],
  ] as const)('of %j are %j and %j', ([path, name, parent]) => {
    expect([baseName(b(path)), parentPath(b(path))]).toEqual([name, parent]);
  });

  test('joined give the path again', () => {
    const component = fc.stringMatching(/^[a-z.]{1,4}$/);
    fc.assert(
      fc.property(fc.array(component, { minLength: 1 }), fc.boolean(), (parts, isAbsolute) => {
        const path = b(`${isAbsolute ? '/' : ''}${parts.join('/')}`);
        expect(joinPath(parentPath(path), baseName(path))).toBe(path);
      }),
    );
  });
});

describe('resolvePath()', () => {
  test.for([
    ['/w', 'a', '/w/a'],
    ['/w', '/a', '/a'],
    ['/w', '', '/w'],
    ['/w', '.', '/w'],
    ['/w/x', '../a//b/./', '/w/a/b'],
    ['/w', '../../../..', '/'],
    ['/', 'a', '/a'],
    ['/w', '...', '/w/...'],
  ] as const)('from %j takes %j to %j', ([base, path, expected]) => {
    expect(resolvePath(b(base), b(path))).toBe(expected);
  });

  test('gives a path without anything left to resolve', () => {
    const part = fc.constantFrom('a', 'b', '.', '..', '', '...');
    fc.assert(
      fc.property(fc.array(part), fc.array(part), (base, path) => {
        const resolved = resolvePath(b(`/${base.join('/')}`), b(path.join('/')));
        expect(resolved).toMatch(/^\/$|^(\/(?!\.{0,2}(\/|$))[^/]+)+$/);
        expect(resolvePath(b('/elsewhere'), resolved)).toBe(resolved);
      }),
    );
  });
});

describe('isWithin() and relativePath()', () => {
  test.for([
    ['/a/b', '/a', 'b'],
    ['/a', '/a', ''],
    ['/a', '/', 'a'],
    ['/', '/', ''],
    ['/a/b/c', '/a', 'b/c'],
  ] as const)('%j is within %j, as %j', ([path, directory, relative]) => {
    expect(isWithin(b(path), b(directory))).toBe(true);
    expect(relativePath(b(path), b(directory))).toBe(relative);
  });

  test.for([
    ['/ab', '/a'],
    ['/', '/a'],
    ['/a', '/a/b'],
    ['/A', '/a'],
  ] as const)('%j is not within %j', ([path, directory]) => {
    expect(isWithin(b(path), b(directory))).toBe(false);
  });
});

describe('tildePath()', () => {
  test.for([
    ['/home/ann/x', '/home/ann', '~/x'],
    ['/home/ann', '/home/ann', '~'],
    ['/home/anna', '/home/ann', '/home/anna'],
    ['/x', '/', '/x'],
    ['/x', '', '/x'],
  ] as const)('writes %j with home %j as %j', ([path, home, expected]) => {
    expect(tildePath(b(path), b(home))).toBe(expected);
  });
});
