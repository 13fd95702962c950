import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { runCli } from '../../src/cli.ts';
import { commands } from '../../src/commands/index.ts';
import { insteadOfOption, insteadOfVerb } from '../../src/other-words.ts';

/** The words of the tables, as they are written in the source. */
const words = Array.from(
  readFileSync(resolve(import.meta.dirname, '../../src/other-words.ts'), 'utf8').matchAll(/^ {2}(?:'([^']+)'|(\w+)): /gm),
  ([, quoted, bare]) => quoted ?? bare ?? '',
);
const options = words.filter((word) => word.startsWith('-'));
const verbs = words.filter((word) => !word.startsWith('-'));
const ours = new Set(commands.flatMap((spec) => spec.options.flatMap(({ name, aliases = [] }) => [name, ...aliases])));

const fail = (...call: readonly string[]) =>
  runCli(
    call.map(bytesFromText),
    () => {
      throw new Error('Nothing here needs a context');
    },
    '1.2.3',
  ).catch((error: unknown) => error);

describe('what other tools call what is here', () => {
  test('has tables that are not empty', () => {
    expect(options.length).toBeGreaterThan(25);
    expect(verbs.length).toBeGreaterThan(8);
  });

  test.for(options)('%s is no option of run, and the error says what is', async (option) => {
    const failure = await fail('run', option, 'x', '--', 'y');

    expect(failure).toMatchObject({ code: 'E_USAGE', exitCode: 2, hint: insteadOfOption(option) });
    for (const [, name] of (insteadOfOption(option) ?? '').matchAll(/--([a-z][a-z-]+)/g)) expect(ours).toContain(name);
  });

  test.for(verbs)('nono %s is no command, and the error says what is', async (verb) => {
    const failure = await fail(...verb.split(' '));

    expect(failure).toMatchObject({ code: 'E_USAGE', exitCode: 2, hint: insteadOfVerb(verb) });
  });

  test('hints name commands that there are', () => {
    const hints = [...options.map(insteadOfOption), ...verbs.map(insteadOfVerb)].join('\n');
    const named = Array.from(hints.matchAll(/`nono ([a-z]+)(?: ([a-z]+))?/g), ([, first, second]) => [
      first,
      `${first} ${second}`,
    ]);

    for (const [first = '', both = ''] of named)
      expect(
        commands.some(({ name }) => name === first || name === both),
        `${first} or ${both}`,
      ).toBe(true);
  });

  test('nothing of Object is taken for a word of it', () => {
    expect(insteadOfOption('constructor')).toBeUndefined();
    expect(insteadOfVerb('toString')).toBeUndefined();
  });

  test.for([
    ['run', '-a', '.', '-r', 'x', '-w', 'y', '--net-block', '--help'],
    ['run', '--no-rollback', '--allow-net', '-s', '--help'],
    ['-s', 'run', '--help'],
    ['--silent', 'why', '--help'],
  ])('%j is taken', async (call) => {
    expect(await fail(...call)).toMatchObject({ exitCode: 0 });
  });
});
