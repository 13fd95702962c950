import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { runCli } from '../../src/cli.ts';
import { commands } from '../../src/commands/index.ts';
import { UsageError } from '../../src/errors.ts';

/** Runs words that never get as far as a verb's own code. */
function call(...words: readonly string[]) {
  const noContext = () => {
    throw new Error('Nothing here needs a context');
  };
  return runCli(words.map(bytesFromText), noContext, '1.2.3');
}

describe('runCli()', () => {
  test.for([['help'], ['--help'], ['-h']])('shows the general help for %j', async (words) => {
    const { output, exitCode } = await call(...words);

    expect(output).toContain('Usage: nono COMMAND');
    expect(exitCode).toBe(0);
  });

  test.for(commands.map(({ name }) => name))('shows the help of %s in every way it is asked for', async (name) => {
    const words = name.split(' ');
    const pages = await Promise.all([call(...words, '--help'), call(...words, '-h'), call('help', ...words)]);

    expect(new Set(pages.map(({ output }) => output)).size).toBe(1);
    expect(pages[0]?.output).toContain(`Usage: nono ${name}`);
  });

  test('takes undo for rollback', async () => {
    expect((await call('undo', 'list', '--help')).output).toContain('Usage: nono rollback list');
  });

  test.for(['rollback', 'undo'])('shows the verbs of the group for nono %s --help', async (group) => {
    const { output, exitCode } = await call(group, '--help');
    expect(await call('help', group)).toEqual({ output, exitCode });

    expect(exitCode).toBe(0);
    for (const verb of ['list', 'show', 'restore', 'verify']) expect(output).toContain(`rollback ${verb}`);
  });

  test.for([
    { words: ['rnu', '--', 'x'], message: 'Cannot run "nono rnu": there is no such command', hint: 'Did you mean `nono run`?' },
    {
      words: ['rolback', 'list'],
      message: 'Cannot run "nono rolback": there is no such command',
      hint: 'Did you mean `nono rollback`?',
    },
    {
      words: ['rollback', 'lst'],
      message: 'Cannot run "nono rollback lst": there is no such command',
      hint: 'Did you mean `nono rollback list`?',
    },
    { words: ['rollback'], message: 'Cannot run "nono rollback": it needs a verb', hint: 'See `nono rollback --help`' },
    { words: ['rollback', '--json'], message: 'Cannot run "nono rollback": it needs a verb' },
    { words: ['help', 'frobnicate'], message: 'Cannot run "nono frobnicate": there is no such command', hint: 'See `nono help`' },
    { words: [''], message: 'Cannot run "nono ": there is no such command', hint: 'See `nono help`' },
    { words: ['\u001b[31m'], message: 'Cannot run "nono \\x1b[31m": there is no such command' },
    { words: ['--rollback'], message: 'Cannot run "nono --rollback": there is no such command' },
    {
      words: ['run', '--nmae', 'x', '--', 'y'],
      message: 'Cannot use "--nmae": nono run has no such option',
      hint: 'Did you mean --name?',
    },
  ])('refuses $words', async ({ words, message, hint }) => {
    const failure = await call(...words).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(UsageError);
    expect(failure).toMatchObject({ message, exitCode: 2, ...(hint === undefined ? {} : { hint }) });
  });
});
