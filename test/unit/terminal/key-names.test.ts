import { describe, expect, test } from 'vitest';
import { keyBytes } from '../../../src/terminal/key-names.ts';

describe('keyBytes()', () => {
  test.for([
    ['enter', '\r'],
    ['Tab', '\t'],
    ['esc', '\x1b'],
    ['up', '\x1b[A'],
    ['backspace', '\x7f'],
    ['ctrl-c', '\x03'],
    ['Ctrl-C', '\x03'],
    ['ctrl-]', '\x1d'],
    ['ctrl-@', '\0'],
  ] as const)('knows what %s sends', ([name, bytes]) => {
    expect(keyBytes(name)).toBe(bytes);
  });

  test.for(['', 'x', 'ctrl-', 'ctrl-1', 'constructor', 'toString', 'hyper-x'])('knows no key "%s"', (name) => {
    expect(keyBytes(name)).toBeUndefined();
  });
});
