import { describe, expect, test } from 'vitest';
import { addToProfile } from '../../../src/config/add-to-profile.ts';

const add = (text: string | undefined) =>
  addToProfile(text, { list: 'read_file', path: '/out/"f"', extended: 'node-dev', fileName: 'x.toml' });

describe('addToProfile()', () => {
  test.for([
    ['a profile that is not there', undefined, 'extends = "node-dev"\n\n[filesystem]\nread_file = ["/out/\\"f\\""]\n'],
    ['one without the table', 'ask = true # yes', 'ask = true # yes\n\n[filesystem]\nread_file = ["/out/\\"f\\""]\n'],
    [
      'one without the list',
      '[filesystem] # files\nread = ["/a"]\n[network]\nblock = true\n',
      '[filesystem] # files\nread_file = ["/out/\\"f\\""]\nread = ["/a"]\n[network]\nblock = true\n',
    ],
    [
      'one with the list, on several lines',
      '[filesystem]\nread_file = [\n  "/a", # one\n  "/b",\n]\n',
      '[filesystem]\nread_file = ["/out/\\"f\\"", \n  "/a", # one\n  "/b",\n]\n',
    ],
    ['one whose list is empty', '[filesystem]\nread_file = []\n', '[filesystem]\nread_file = ["/out/\\"f\\""]\n'],
  ])('adds to %s', ([, text, expected]) => {
    expect(add(text)).toBe(expected);
  });

  test.for([
    ['a line of a text that looks like the table', 'description = """\n[filesystem]\nread_file = ["/a"]\n"""\n'],
    ['a table that is written in one line', 'filesystem = { read_file = ["/a"] }\n'],
    ['a list that has it already', '[filesystem]\nread_file = ["/out/\\"f\\"", "/out/\\"f\\""]\nread_file = []\n'],
    ['dotted keys', 'filesystem.read_file = ["/a"]\n'],
  ])('never changes %s', ([, text]) => {
    expect(() => add(text)).toThrow('x.toml');
  });
});
