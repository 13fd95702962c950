import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { isRunningKey, parseGitConfig } from '../../../src/rollback/git-config.ts';
import { createScratchDirectory } from '../../support/scratch.ts';

const CONFIGS = [
  '[core]\n\thooksPath = /x\n\tbare\n',
  '[core] editor = "vi -c \\"set x\\"" ; a comment\n[alias]\n  co = "!sh -c \'a; b\'" # another\n',
  '[remote "or\\"ig\\\\in"]\n url = https://example.org/a.git\n fetch = +a:b\n fetch = +c:d\n',
  '[a "B.c"]\n\tKEY = one \\\n two\n\tempty =\n[A "B.c"]\n\tkey = three\n',
  '# only a comment\n; another\n\n[x]\n',
  '[include]\n\tpath = "a b"\n[core]\n\tx = a\\tb\\nc\n',
  '[section.sub]\n\tk = "quoted # not a comment" trailing  \n',
];

describe('parseGitConfig()', () => {
  test.for(CONFIGS)('reads %j as git does', (text) => {
    using scratch = createScratchDirectory();
    writeFileSync(scratch.at('config'), text);
    const listed = execFileSync('git', ['config', '--file', scratch.at('config'), '--no-includes', '--list', '-z'], {
      encoding: 'latin1',
    });
    const expected = new Map<string, string[]>();
    for (const item of listed.split('\0').slice(0, -1)) {
      const at = item.indexOf('\n');
      const [key, value] = at < 0 ? [item, 'true'] : [item.slice(0, at), item.slice(at + 1)];
      expected.set(key, [...(expected.get(key) ?? []), value]);
    }
    expect(parseGitConfig(text as Bytes)).toEqual(expected);
  });

  test('ends on what is no config file', () => {
    expect(parseGitConfig('[\n]\n=x\n[a\nb = c\n\0\xff'.repeat(1000) as Bytes)).toEqual(new Map());
  });
});

describe('isRunningKey()', () => {
  test.for([
    ['core.hookspath', true],
    ['core.fsmonitor', true],
    ['core.sshcommand', true],
    ['alias.co', true],
    ['filter.lfs.smudge', true],
    ['includeif.gitdir:/x.path', true],
    ['remote.origin.url', true],
    ['credential.helper', true],
    ['core.bare', false],
    ['user.name', false],
    ['branch.main.remote', false],
  ] as const)('%s: %s', ([key, isRunning]) => {
    expect(isRunningKey(key as Bytes)).toBe(isRunning);
  });
});
