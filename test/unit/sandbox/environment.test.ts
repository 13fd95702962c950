import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { isCredential, isHook, scrubEnvironment } from '../../../src/sandbox/environment.ts';

const TEMPORARY = '/tmp/nono-x' as Bytes;

function scrub(variables: Readonly<Record<string, string>>, passed: readonly string[] = [], denied: readonly string[] = []) {
  const caller = new Map(Object.entries(variables) as [Bytes, Bytes][]);
  return scrubEnvironment(caller, { passed, denied, set: new Map(), temporaryDirectory: TEMPORARY });
}

describe('scrubEnvironment()', () => {
  test('withholds hooks and credentials, sorted, and passes the rest', () => {
    const { entries, withheld } = scrub({ PATH: '/bin', LD_PRELOAD: '/x', GH_TOKEN: 'x', EDITOR: 'vi' });

    expect(entries).toEqual(['PATH=/bin', 'EDITOR=vi', `TMPDIR=${TEMPORARY}`]);
    expect(withheld).toEqual(['GH_TOKEN', 'LD_PRELOAD']);
  });

  test('passes what is named, whatever it looks like', () => {
    expect(scrub({ API_KEY: 'x' }, ['API_KEY'])).toEqual({ entries: ['API_KEY=x', `TMPDIR=${TEMPORARY}`], withheld: [] });
  });

  test.for([
    { passed: ['AWS_*'], denied: ['AWS_SECRET_KEY'], withheld: ['AWS_SECRET_KEY'] },
    { passed: ['AWS_*'], denied: ['AWS_S*'], withheld: ['AWS_SECRET_KEY'] },
    { passed: ['AWS_S*'], denied: ['AWS_*'], withheld: ['AWS_REGION'] },
    { passed: ['AWS_SECRET_KEY'], denied: ['AWS_*', 'AWS_SECRET_KEY'], withheld: ['AWS_REGION'] },
    { passed: [], denied: ['AWS_*'], withheld: ['AWS_REGION', 'AWS_SECRET_KEY'] },
  ])('goes by what fits a name more closely: $passed and not $denied', ({ passed, denied, withheld }) => {
    expect(scrub({ AWS_SECRET_KEY: 'x', AWS_REGION: 'eu' }, passed, denied).withheld).toEqual(withheld);
  });

  test('says nothing of an empty hook, which does nothing', () => {
    expect(scrub({ ENV: '' }).withheld).toEqual([]);
  });

  test('turns each spelling of TMPDIR that is there to the private one', () => {
    expect(scrub({ TMPDIR: '/tmp', TEMP: '/tmp' }).entries).toEqual([`TMPDIR=${TEMPORARY}`, `TEMP=${TEMPORARY}`]);
  });
});

describe('isHook()', () => {
  test.for([
    'LD_PRELOAD',
    'LD_AUDIT',
    'DYLD_INSERT_LIBRARIES',
    'NODE_OPTIONS',
    'BUN_OPTIONS',
    'BUN_BE_BUN',
    'PYTHONSTARTUP',
    'BASH_ENV',
    'ENV',
    'PERL5OPT',
    'RUBYOPT',
    'JAVA_TOOL_OPTIONS',
    'BASH_FUNC_ls%%',
  ])('knows %s', (name) => {
    expect(isHook(name)).toBe(true);
  });

  test.for(['PATH', 'ENVIRONMENT', 'MY_ENV', 'NODE_ENV', 'OLD_LD_PRELOAD', 'PYTHONPATH'])('lets %s pass', (name) => {
    expect(isHook(name)).toBe(false);
  });
});

describe('isCredential()', () => {
  test.for([
    'GITHUB_TOKEN',
    'token',
    'AWS_SECRET_ACCESS_KEY',
    'APIKEY',
    'CLIENT_SECRET',
    'DB_PASSWORD',
    'PASSWORD_FILE',
    'PGPASSWORD',
    'KEY',
    'SMTP_PASS',
    'AZURE_DEVOPS_EXT_PAT',
    'MYSQL_PWD',
    'SSHPASS',
    'API_KEYS',
    'COMPOSER_AUTH',
    'NPM_CONFIG__AUTHTOKEN',
    'SECRET_KEY_BASE',
    'DOCKER_AUTH_CONFIG',
  ])('knows %s', (name) => {
    expect(isCredential(name)).toBe(true);
  });

  test('goes by words between underscores, in any case of letters', () => {
    const expected =
      /(?:^|_)(?:TOKENS?|KEYS?|SECRETS?|APIKEY|AUTH|AUTHTOKEN|PASS|PASSWD|PASSPHRASE|PAT|CREDS|CREDENTIALS?)$|PASSWORD/i;
    const word = fc.constantFrom(
      'token',
      'KEY',
      'Secret',
      'apikey',
      'auth',
      'AuthToken',
      'pass',
      'passwd',
      'PASSPHRASE',
      'pat',
      'Creds',
      'credential',
      'CREDENTIALS',
      'password',
      's',
    );
    const part = fc.oneof(word, fc.constantFrom('_', '__'), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const name = parts.join('');
        expect(isCredential(name)).toBe(expected.test(name));
      }),
    );
  });

  test.for([
    'KEYBOARD',
    'TOKENIZERS_PARALLELISM',
    'MONKEY',
    'SECRETARY',
    'AWS_REGION',
    'PASSTHROUGH',
    'PWD',
    'OLDPWD',
    'PATH',
    'SSH_ASKPASS',
    'SSH_AUTH_SOCK',
    'XAUTHORITY',
    'SSH_KEYSIZE',
  ])('lets %s pass', (name) => {
    expect(isCredential(name)).toBe(false);
  });
});
