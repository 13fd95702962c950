import { describe, expect, test } from 'vitest';
import { commands } from '../../src/commands/index.ts';
import { expectedWord } from '../../src/completion.ts';

const texts = (...words: readonly string[]) => expectedWord(words, commands).candidates.map(({ text }) => text);

describe('expectedWord()', () => {
  test('offers verbs and groups first, options once one is begun', () => {
    expect(texts('')).toEqual(expect.arrayContaining(['run', 'rollback', 'ps', 'help']));
    expect(texts('')).not.toContain('--help');
    expect(new Set(texts('')).size).toBe(texts('').length);
    expect(texts('--')).toEqual(['--help', '--version']);
    expect(texts('att')).toEqual(['attach']);
  });

  test.for(['rollback', 'undo'])('offers the verbs of the group after %s', (group) => {
    expect(texts(group, '')).toEqual(expect.arrayContaining(['list', 'show', 'restore']));
    expect(texts(group, 're')).toEqual(['review', 'restore']);
  });

  test('offers options that fit and were not given, and those that may be given again', () => {
    expect(texts('ps', '--')).toEqual(['--all', '--json', '--help']);
    expect(texts('ps', '-a', '--')).toEqual(['--json', '--help']);
    expect(texts('run', '--read', 'a', '--rea')).toEqual(['--read', '--read-file']);
    expect(texts('wrap', '--block')).toEqual(['--block-net', '--block-net=loopback']);
  });

  test('offers the options, and the two dashes, where no other word is expected', () => {
    expect(texts('run', '')).toEqual(expect.arrayContaining(['--allow-cwd', '--']));
    expect(texts('config', 'path', '')).toEqual(['--help']);
  });

  test.for([
    { words: ['attach', ''], kinds: ['live-session'] },
    { words: ['logs', '-f', ''], kinds: ['session'] },
    { words: ['logs', 'a', ''], kinds: [] },
    { words: ['stop', 'a', ''], kinds: ['live-session'] },
    { words: ['rollback', 'show', ''], kinds: ['rollback'] },
    { words: ['undo', 'restore', 'latest', ''], kinds: ['file'] },
    { words: ['run', '--profile', ''], kinds: ['profile', 'file'] },
    { words: ['run', '-p', ''], kinds: ['profile', 'file'] },
    { words: ['run', '--profile=no'], kinds: ['profile', 'file'] },
    { words: ['run', '--allow', ''], kinds: ['directory'] },
    { words: ['run', '--read-file', './'], kinds: ['file'] },
    { words: ['run', '--env', ''], kinds: ['variable'] },
    { words: ['profile', 'show', ''], kinds: ['profile', 'file'] },
    { words: ['rollback', 'export', 'latest', '--html', ''], kinds: ['file'] },
    { words: ['rename', 'a', ''], kinds: [] },
    { words: ['allow', ''], kinds: [] },
    { words: ['frobnicate', ''], kinds: [] },
    { words: ['rollback', 'frobnicate', ''], kinds: [] },
  ])('knows what $words wants', ({ words, kinds }) => {
    expect(expectedWord(words, commands).kinds).toEqual(kinds);
  });

  test('offers the verbs of a group that is a verb itself, and its options', () => {
    expect(texts('approvals', '')).toEqual(expect.arrayContaining(['list', 'allow', 'deny']));
    expect(texts('approvals', '--j')).toEqual(['--json']);
    expect(texts('approvals', 'allow', '--h')).toEqual(['--help']);
  });

  test('leaves what comes after the two dashes to the completions of that command', () => {
    expect(expectedWord(['run', '--allow-cwd', '--', 'git', 'st'], commands)).toEqual({
      candidates: [],
      kinds: ['command'],
      commandAt: 3,
    });
    expect(expectedWord(['ps', '--', ''], commands)).toEqual({ candidates: [], kinds: [] });
  });

  test('completes every word that the tables have a value for', () => {
    expect(texts('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(texts('why', '--op', 'r')).toEqual(['read', 'readwrite']);
    expect(texts('run', '--block-net=')).toEqual(['--block-net=loopback']);
    expect(texts('help', 'rollback', 'sh')).toEqual(['show']);
    expect(texts('help', 'ru')).toEqual(['run']);
  });

  test.for([...commands])('answers for every word of $name', ({ name, options }) => {
    const words = name.split(' ');
    for (const option of options) {
      expect(texts(...words, `--${option.name}`)).toContain(`--${option.name}`);
      expect(() => expectedWord([...words, `--${option.name}`, ''], commands)).not.toThrow();
    }
  });
});
