import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { commands } from '../../src/commands/index.ts';
import { commandHelp, generalHelp, TOPICS, usageLine, verbsOf } from '../../src/help.ts';
import { parseCall } from '../../src/parse.ts';

/** The product's promise: help fits a terminal of this width. */
const WIDTH_COLUMNS = 100;

describe('generalHelp()', () => {
  const page = generalHelp('1.2.3');

  test('names every verb with its summary', () => {
    for (const { name, summary } of commands) expect(page).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  });

  test('names the version and fits', () => {
    expect(page).toMatch(/^nono 1\.2\.3: /);
    expect(longestLine(page)).toBeLessThanOrEqual(WIDTH_COLUMNS);
  });
});

describe('verbsOf()', () => {
  test('puts every verb under one topic', () => {
    const listed = TOPICS.flatMap((topic) => verbsOf(topic, commands).map(({ name }) => name));

    expect(listed.toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
  });
});

describe('commandHelp()', () => {
  test.for([...commands])('of $name shows usage, every option and an example, and fits', (spec) => {
    const page = commandHelp(spec);

    expect(page).toMatch(new RegExp(`^Usage: nono ${spec.name} `));
    for (const { name } of spec.options) expect(page).toContain(`--${name}`);
    expect(spec.examples.length).toBeGreaterThanOrEqual(2);
    for (const example of spec.examples) expect(page).toContain(`\n  ${example}\n`);
    expect(longestLine(page)).toBeLessThanOrEqual(WIDTH_COLUMNS);
    expect(page).not.toMatch(/[ \t]$/m);
  });

  test('wraps what is long, under the same column', () => {
    const page = commandHelp({
      name: 'x',
      summary: 'X',
      options: [
        { name: 'a-very-long-option-name-that-fills-it', arity: 'optional', placeholder: 'V', help: 'word '.repeat(30).trim() },
      ],
      positionals: { name: 'ID', minimum: 1, maximum: Number.POSITIVE_INFINITY },
      commandLine: 'required',
      examples: ['nono x'],
      load: () => Promise.reject(new Error('Help loads nothing')),
    });

    expect(page).toContain('Usage: nono x [OPTIONS] ID… -- COMMAND [ARGUMENT…]');
    expect(page).toMatch(/\n {2}--a-very-long-option-name-that-fills-it\[=V\]\n {34}word word .*\n {34}word /);
    expect(longestLine(page)).toBeLessThanOrEqual(WIDTH_COLUMNS);
  });
});

describe('the table of commands', () => {
  test.for([
    ['send', 'nono send [OPTIONS] ID [TEXT…]'],
    ['rename', 'nono rename [OPTIONS] ID NAME'],
    ['rollback show', 'nono rollback show [OPTIONS] ID [PATH…]'],
  ])('says how %s is written', ([name, line]) => {
    const spec = commands.find((command) => command.name === name);

    expect(spec && usageLine(spec)).toBe(line);
  });

  test.for([...commands])(
    'of $name has each option name once, and examples that name the verb',
    ({ name, options, examples }) => {
      const names = options.flatMap((option) => [
        option.name,
        ...(option.aliases ?? []),
        ...(option.short === undefined ? [] : [option.short]),
      ]);

      expect(new Set(names).size).toBe(names.length);
      for (const example of examples) expect(example).toMatch(new RegExp(`\\bnono ${name}\\b`));
    },
  );

  test.for([...commands])('of $name has examples that it takes as they stand', (spec) => {
    for (const example of spec.examples) {
      // What is the shell's, before and after.
      const [, call = ''] = /\bnono ((?:'[^']*'|"[^"]*"|[^'"|<>;&)])*)/.exec(example) ?? [];
      const words = Array.from(call.matchAll(/'([^']*)'|"([^"]*)"|([^ ]+)/g), ([, a, b, c]) => bytesFromText(a ?? b ?? c ?? ''));
      expect(failureOf(() => parseCall(spec, words.slice(spec.name.split(' ').length)))).toBe('');
    }
  });
});

function longestLine(page: string): number {
  return Math.max(...page.split('\n').map((line) => Array.from(line).length));
}

function failureOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return String(error);
  }
}
