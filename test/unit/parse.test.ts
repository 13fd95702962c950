import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import type { CommandSpec, ParsedCall } from '../../src/commands/spec.ts';
import { UsageError } from '../../src/errors.ts';
import { parseCall, parseCount } from '../../src/parse.ts';

const common = { summary: '', examples: [], load: () => Promise.reject(new Error('The parser loads nothing')) };

const RUN: CommandSpec = {
  ...common,
  name: 'run',
  options: [
    { name: 'allow', arity: 'value', repeatable: true, placeholder: 'DIR', help: '' },
    { name: 'name', arity: 'value', placeholder: 'NAME', help: '' },
    { name: 'rollback', aliases: ['undo'], arity: 'flag', help: '' },
    { name: 'block-net', arity: 'optional', placeholder: 'MODE', help: '' },
    { name: 'help', short: 'h', arity: 'flag', help: '' },
  ],
  commandLine: 'required',
};

const SHOW: CommandSpec = {
  ...common,
  name: 'rollback show',
  options: [
    { name: 'diff', arity: 'flag', help: '' },
    { name: 'help', short: 'h', arity: 'flag', help: '' },
  ],
  positionals: { name: 'ID', minimum: 1, maximum: 2 },
};

const RENAME: CommandSpec = { ...common, name: 'rename', options: [], positionals: { name: 'ID NAME', minimum: 2, maximum: 2 } };

const LIST: CommandSpec = { ...common, name: 'rollback list', options: [] };

function parse(spec: CommandSpec, words: readonly string[]): ParsedCall {
  return parseCall(spec, words.map(bytesFromText));
}

/** A call as plain data. */
function plain({ flags, values, positionals, commandLine }: ParsedCall): unknown {
  return { flags: [...flags], values: Object.fromEntries(values), positionals, commandLine };
}

describe('parseCall()', () => {
  test.for([
    {
      words: ['--allow', 'a', '--allow=b=c', '--undo', '--', 'sh', '-c', '--', '--rollback'],
      call: {
        flags: ['rollback'],
        values: { allow: ['a', 'b=c'] },
        positionals: [],
        commandLine: ['sh', '-c', '--', '--rollback'],
      },
    },
    {
      words: ['--block-net', '--', 'x'],
      call: { flags: [], values: { 'block-net': [''] }, positionals: [], commandLine: ['x'] },
    },
    {
      words: ['--block-net=loopback', '--', 'x'],
      call: { flags: [], values: { 'block-net': ['loopback'] }, positionals: [], commandLine: ['x'] },
    },
    {
      words: ['--name', '--rollback', '--', 'x'],
      call: { flags: [], values: { name: ['--rollback'] }, positionals: [], commandLine: ['x'] },
    },
    {
      words: ['--name', '007', '--', 'x', ''],
      call: { flags: [], values: { name: ['007'] }, positionals: [], commandLine: ['x', ''] },
    },
    { words: ['-h'], call: { flags: ['help'], values: {}, positionals: [], commandLine: [] } },
  ])('reads run $words', ({ words, call }) => {
    expect(plain(parse(RUN, words))).toEqual(call);
  });

  test.for([
    { words: ['a3f7c2'], call: { flags: [], values: {}, positionals: ['a3f7c2'], commandLine: [] } },
    { words: ['a', '--diff', 'b'], call: { flags: ['diff'], values: {}, positionals: ['a', 'b'], commandLine: [] } },
    { words: ['-'], call: { flags: [], values: {}, positionals: ['-'], commandLine: [] } },
  ])('reads rollback show $words', ({ words, call }) => {
    expect(plain(parse(SHOW, words))).toEqual(call);
  });

  test('keeps bytes that are not UTF-8', () => {
    const word = 'caf\u00e9' as Bytes;

    expect(parseCall(SHOW, [word]).positionals).toEqual([word]);
  });

  test.for([
    { spec: RUN, words: [], message: 'Cannot run without a command: write it after "--"' },
    { spec: RUN, words: ['--'], message: 'Cannot run without a command: write it after "--"' },
    { spec: RUN, words: ['--', ''], message: 'Cannot run without a command: write it after "--"' },
    { spec: RUN, words: ['ls'], message: 'Cannot use the extra argument "ls": write the command after "--"' },
    { spec: RUN, words: ['--rollback', '--undo', '--', 'x'], message: 'Cannot use --rollback twice' },
    { spec: RUN, words: ['--rollback=yes', '--', 'x'], message: 'Cannot use --rollback with a value: it takes none' },
    { spec: RUN, words: ['--name', 'a', '--name', 'b', '--', 'x'], message: 'Cannot use --name twice' },
    { spec: RUN, words: ['--block-net', '--block-net=loopback', '--', 'x'], message: 'Cannot use --block-net twice' },
    { spec: RUN, words: ['--name=', '--', 'x'], message: 'Cannot use --name with an empty value' },
    { spec: RUN, words: ['--allow', '', '--', 'x'], message: 'Cannot use --allow with an empty value' },
    { spec: RUN, words: ['--block-net=', '--', 'x'], message: 'Cannot use --block-net with an empty value' },
    { spec: RUN, words: ['--name'], message: 'Cannot use --name without NAME' },
    { spec: RUN, words: ['--name', '--', 'x'], message: 'Cannot use --name without NAME' },
    {
      spec: RUN,
      words: ['--rolback', '--', 'x'],
      message: 'Cannot use "--rolback": nono run has no such option',
      hint: 'Did you mean --rollback?',
    },
    {
      spec: RUN,
      words: ['--undoo', '--', 'x'],
      message: 'Cannot use "--undoo": nono run has no such option',
      hint: 'Did you mean --undo?',
    },
    {
      spec: RUN,
      words: ['-x', '--', 'x'],
      message: 'Cannot use "-x": nono run has no such option',
      hint: 'See `nono run --help`',
    },
    {
      spec: RUN,
      words: ['-help', '--', 'x'],
      message: 'Cannot use "-help": nono run has no such option',
      hint: 'Did you mean --help?',
    },
    { spec: RUN, words: ['--\u001b[31m', '--', 'x'], message: 'Cannot use "--\\x1b[31m": nono run has no such option' },
    { spec: SHOW, words: [], message: 'Cannot run "nono rollback show" without ID' },
    { spec: SHOW, words: [''], message: 'Cannot use an empty ID' },
    { spec: RENAME, words: ['a'], message: 'Cannot run "nono rename" without ID and NAME' },
    { spec: RENAME, words: ['a', ''], message: 'Cannot use an empty NAME' },
    { spec: SHOW, words: ['a', 'b', 'c'], message: 'Cannot use the extra argument "c"' },
    { spec: SHOW, words: ['a', '--', 'b', '-c'], message: 'Cannot use the extra argument "-c"' },
    { spec: SHOW, words: ['--'], message: 'Cannot run "nono rollback show" without ID' },
    { spec: LIST, words: ['--'], message: 'Cannot use "--": there is no command to run here' },
  ])('refuses $spec.name $words', ({ spec, words, message, hint }) => {
    expect(() => parse(spec, words)).toThrow(UsageError);
    expect(() => parse(spec, words)).toThrow(
      expect.objectContaining({ message, exitCode: 2, ...(hint === undefined ? {} : { hint }) }),
    );
  });

  test('takes nothing behind "--" for an option where no command is run', () => {
    const call = plain(parse(SHOW, ['--diff', 'a', '--', '--diff']));

    expect(call).toEqual({ flags: ['diff'], values: {}, positionals: ['a', '--diff'], commandLine: [] });
  });

  test('gives help before it complains about what is missing', () => {
    expect(parse(SHOW, ['--help']).flags).toContain('help');
  });
});

describe('parseCount()', () => {
  test.for([
    ['0', 0],
    ['10', 10],
    ['007', 7],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ] as const)('reads %j', ([value, expected]) => {
    expect(parseCount('recent', bytesFromText(value))).toBe(expected);
  });

  test.for(['', '-1', '1.5', '1e3', '0x10', ' 1', 'NaN', 'Infinity', '9007199254740992', '١'])('refuses %j', (value) => {
    expect(() => parseCount('recent', bytesFromText(value))).toThrow(
      expect.objectContaining({ message: expect.stringContaining('expected a whole number of 0 or more'), exitCode: 2 }),
    );
  });
});
