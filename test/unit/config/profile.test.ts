import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { BUILT_IN_PROFILES } from '../../../src/config/built-in-profiles.ts';
import { expandPath } from '../../../src/config/expansion.ts';
import { layProfile, parseProfile } from '../../../src/config/profile.ts';
import { profileDocument, renderProfile } from '../../../src/config/profile-text.ts';
import { EMPTY_PROFILE, type Profile } from '../../../src/config/profile-type.ts';
import { listProfiles, type ProfilePlaces, resolveProfile } from '../../../src/config/profiles.ts';
import { createNodeFiles } from '../../../src/platform/node/files.ts';
import { createScratchDirectory, type Scratch } from '../../support/scratch.ts';

interface Home extends Disposable {
  readonly places: ProfilePlaces;
  readonly at: Scratch['at'];
}

/** A home with these files: those with a plain name are profiles of the user. */
function createHome(files: Readonly<Record<string, string>>): Home {
  const scratch = createScratchDirectory();
  for (const [name, text] of Object.entries(files)) {
    const path = scratch.at(name.includes('/') ? name : `profiles/${name}.toml`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const at = (name: string) => bytesFromText(scratch.at(name));
  const places = {
    files: createNodeFiles(),
    directory: at('profiles'),
    workingDirectory: at('project'),
    homeDirectory: at('home'),
  };
  return { places, at: (name) => scratch.at(name), [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

function texts(list: Profile['tracked']): readonly string[] {
  return list.map(({ text }) => text);
}

describe('resolveProfile()', () => {
  test('adds what is extended over several levels, the nearest word counting', () => {
    using home = createHome({
      base: '[workdir]\naccess = "read"\n[filesystem]\nread = ["~/a"]\n[environment]\nallow_vars = ["A"]\nset_vars = { V = "1", W = "1" }\n[network]\nblock = true\n',
      middle: 'extends = "base"\n[filesystem]\nread = ["~/b", "~/a"]\n[environment]\ndeny_vars = ["A"]\n',
      top: 'extends = ["middle"]\n[workdir]\naccess = "readwrite"\n[environment]\nset_vars = { V = "2" }\n[network]\nblock = false\n',
    });

    const profile = resolveProfile('top' as Bytes, home.places);

    expect(profile).toMatchObject({ name: 'top', workdirAccess: 'readwrite', blocksNetwork: false, allowedVariables: [] });
    expect(profile.paths.read).toEqual([
      { text: '~/a', place: `${home.at('profiles/base.toml')}:4` },
      { text: '~/b', place: `${home.at('profiles/middle.toml')}:3` },
    ]);
    expect(texts(profile.deniedVariables)).toEqual(['A']);
    expect(Array.from(profile.setVariables, ([name, { text }]) => `${name}=${text}`)).toEqual(['V=2', 'W=1']);
    expect(profile.files).toEqual(['base', 'middle', 'top'].map((name) => home.at(`profiles/${name}.toml`)));
  });

  test.for([
    {
      what: 'a beginning that is denied takes back the names that it has',
      base: 'allow_vars = ["AWS_KEY", "B_*"]',
      top: 'deny_vars = ["AWS_*"]',
      allowed: ['B_*'],
      denied: ['AWS_*'],
    },
    {
      what: 'a name that is denied leaves what else a beginning allows',
      base: 'allow_vars = ["AWS_*"]',
      top: 'deny_vars = ["AWS_KEY"]',
      allowed: ['AWS_*'],
      denied: ['AWS_KEY'],
    },
    {
      what: 'a beginning that is allowed takes back what was denied',
      base: 'deny_vars = ["AWS_KEY", "AWS_S*"]',
      top: 'allow_vars = ["AWS_*"]',
      allowed: ['AWS_*'],
      denied: [],
    },
    {
      what: 'a beginning that is denied takes back what was set',
      base: 'set_vars = { AWS_URL = "x", B = "y" }',
      top: 'deny_vars = ["AWS_*"]',
      allowed: [],
      denied: ['AWS_*'],
    },
  ])('lets the last word count of variables: $what', ({ base, top, allowed, denied }) => {
    const table = (text: string) => `[environment]\n${text}\n`;
    using home = createHome({
      base: table(base),
      more: table(top),
      top: `extends = "base"\n${table(top)}`,
      both: 'extends = ["base", "more"]\n',
    });

    for (const name of ['top', 'both']) {
      const profile = resolveProfile(name as Bytes, home.places);
      expect({ name, allowed: texts(profile.allowedVariables), denied: texts(profile.deniedVariables) }).toEqual({
        name,
        allowed,
        denied,
      });
      expect([...profile.setVariables.keys()]).toEqual(base.startsWith('set_vars') ? ['B'] : []);
    }
  });

  test('joins several profiles, one of them by its path from the file', () => {
    using home = createHome({
      a: 'ask = true\n[filesystem]\nallow = ["~/a"]\n',
      both: 'extends = ["a", "./more/b.toml"]\n',
      'profiles/more/b.toml': '[filesystem]\nallow = ["~/b"]\n[rollback]\ntrack = ["~/b"]\n',
    });

    const profile = resolveProfile('both' as Bytes, home.places);

    expect(profile.asks).toBe(true);
    expect(texts(profile.paths.allow)).toEqual(['~/a', '~/b']);
    expect(texts(profile.tracked)).toEqual(['~/b']);
  });

  test('reads once what many extend, however often they do', () => {
    const levels = Array.from({ length: 40 }, (_, at) => [`p${at}`, `extends = ["p${at + 1}", "./p${at + 1}.toml"]\n`] as const);
    using home = createHome({ ...Object.fromEntries(levels), p40: '[filesystem]\nread = ["~/deep"]\n' });

    expect(texts(resolveProfile('p0' as Bytes, home.places).paths.read)).toEqual(['~/deep']);
  });

  test('joins long lists', () => {
    const list = (from: number) => Array.from({ length: 20_000 }, (_, at) => `"/a${from + at}"`).join(',');
    using home = createHome({
      base: `[filesystem]\nread = [${list(0)}]\n`,
      top: `extends = "base"\n[filesystem]\nread = [${list(10_000)}]\n`,
    });

    expect(resolveProfile('top' as Bytes, home.places).paths.read).toHaveLength(30_000);
  });

  test('takes a file of the working directory only by its path', () => {
    using home = createHome({ 'project/mine.toml': 'description = "from the project"\n' });

    expect(resolveProfile('./mine.toml' as Bytes, home.places)).toMatchObject({ description: 'from the project' });
    expect(resolveProfile('mine.toml' as Bytes, home.places)).toMatchObject({ name: 'mine.toml' });
    expect(() => resolveProfile('mine' as Bytes, home.places)).toThrow('there is no profile "mine"');
  });

  test("lets a user's profile of a built-in name add to that one", () => {
    using home = createHome({ default: 'extends = "default"\n[filesystem]\nread = ["~/data"]\n' });

    const profile = resolveProfile('default' as Bytes, home.places);

    expect(profile.files).toEqual(['built-in/default.toml', home.at('profiles/default.toml')]);
    expect(texts(profile.paths.read)).toEqual(['~/data']);
  });

  test.for([
    { why: 'itself', files: { a: 'extends = "a"\n' }, message: 'profiles/a.toml:1: there is no profile "a"' },
    {
      why: 'what extends it, over two others',
      files: { a: '\nextends = "b"\n', b: 'extends = "c"\n', c: '# c\nask = true\nextends = ["a"]\n' },
      message: 'profiles/c.toml:3: the profile extends itself: ',
    },
    {
      why: 'a name that is nowhere',
      files: { a: 'extends = "defualt"\n' },
      message: 'profiles/a.toml:1: there is no profile "defualt"',
    },
    {
      why: 'a missing file',
      files: { a: 'extends = "../x.toml"\n' },
      message: 'profiles/a.toml:1: there is no file "../x.toml"',
    },
  ])('refuses a profile that extends $why', ({ files, message }) => {
    using home = createHome(files);

    expect(() => resolveProfile('a' as Bytes, home.places)).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(home.at(message)) }),
    );
  });

  test('names the nearest profile, those of the user included', () => {
    using home = createHome({ sprockets: '' });

    expect(() => resolveProfile('sprokets' as Bytes, home.places)).toThrow(
      expect.objectContaining({ hint: 'Did you mean sprockets?' }),
    );
  });
});

describe('parseProfile()', () => {
  const PATHS = 'expected a list of paths that begin with /, ~, $HOME, $WORKDIR, $TMPDIR or ${NAME:-~/else}';
  const NAMES = 'expected a list of names of variables, such as "API_KEY" or "AWS_*"';
  test.for([
    ['extend = "a"', '1: unknown key "extend", did you mean "extends"?'],
    ['[filesystm]', '1: unknown key "filesystm", did you mean "filesystem"?'],
    ['[filesystem]\n\nallow_dir = []', '3: unknown key "allow_dir"'],
    ['[filesystem]\nread_files = []', '2: unknown key "read_files", did you mean "read_file"?'],
    ['[network]\nask = true', '2: unknown key "ask", it belongs before the first [table]'],
    ['access = "read"', '1: unknown key "access", it belongs to [workdir]'],
    ['[workdir]\naccess = "rw"', '2: cannot use "rw" for "access": expected "none", "read", "write" or "readwrite"'],
    ['[network]\nblock = "yes"', '2: cannot use "yes" for "block": expected "loopback", true or false'],
    ['ask = "yes"', '1: cannot use "yes" for "ask": expected true or false'],
    ['extends = 1', '1: cannot use 1 for "extends": expected a list of names or paths of profiles'],
    ['extends = ["a", ""]', '1: cannot use "" in "extends": expected a list of names or paths of profiles'],
    ['[filesystem]\nread = "~/a"', `2: cannot use "~/a" for "read": ${PATHS}`],
    ['[filesystem]\nread = [\n  "~/a",\n  "b",\n]', `4: cannot use "b" in "read": ${PATHS}`],
    ['[filesystem]\nread = ["./b"]', `2: cannot use "./b" in "read": ${PATHS}`],
    ['[filesystem]\nread = ["~root/x"]', `2: cannot use "~root/x" in "read": ${PATHS}`],
    ['[filesystem]\nread = ["$PWD/x"]', `2: cannot use "$PWD/x" in "read": ${PATHS}`],
    ['[filesystem]\nread = ["$HOMES"]', `2: cannot use "$HOMES" in "read": ${PATHS}`],
    ['[filesystem]\nread = ["/a\\u0000"]', `2: cannot use "/a\\u0000" in "read": ${PATHS}`],
    ['[environment]\nallow_vars = ["A-B"]', `2: cannot use "A-B" in "allow_vars": ${NAMES}`],
    ['[environment]\ndeny_vars = ["*"]', `2: cannot use "*" in "deny_vars": ${NAMES}`],
    ['[environment.set_vars]\nA = "x"\nB = 1', '3: cannot use 1 in "set_vars": expected a table of names of variables and texts'],
    [
      '[rollback]\nexclude_globs = ["a\\nb"]',
      '2: cannot use "a\\nb" in "exclude_globs": expected a list of texts of one line that are not empty',
    ],
    [
      '[environment]\nallow_vars = ["A"]\ndeny_vars = ["B", "A"]',
      '3: "A" of "deny_vars" is also in "allow_vars" in line 2: keep one of the two',
    ],
    [
      '[environment]\ndeny_vars = ["A"]\nset_vars = { A = "1" }',
      '3: "A" of "set_vars" is also in "deny_vars" in line 2: keep one of the two',
    ],
    [
      '[filesystem]\nallow = ["~/a"]\nallow_file = ["~/a"]',
      '3: "~/a" of "allow_file" is also in "allow" in line 2: keep one of the two',
    ],
    ['[filesystem]\nread = [', '2: '],
  ] as const)('refuses %j', ([text, message]) => {
    expect(() => parseProfile(text, 'p.toml')).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(`p.toml:${message}`) }),
    );
  });
});

describe('expandPath()', () => {
  const facts = {
    homeDirectory: '/home/u' as Bytes,
    workingDirectory: '/home/p' as Bytes,
    temporaryDirectory: '/tmp/t' as Bytes,
    environment: new Map([
      ['CARGO_HOME' as Bytes, '/data/cargo' as Bytes],
      ['RELATIVE' as Bytes, 'x' as Bytes],
      ['GOPATH' as Bytes, '/home/u/go:/srv/go' as Bytes],
      ['COLON' as Bytes, '/srv/a:b' as Bytes],
    ]),
  };
  test.for([
    ['~', '/home/u'],
    ['~/a b', '/home/u/a b'],
    ['$HOME/a', '/home/u/a'],
    ['$WORKDIR', '/home/p'],
    ['$WORKDIR/.cache', '/home/p/.cache'],
    ['$TMPDIR/x', '/tmp/t/x'],
    ['${CARGO_HOME:-~/.cargo}/registry', '/data/cargo/registry'],
    ['${UNSET:-~/.cargo}/registry', '/home/u/.cargo/registry'],
    ['${RELATIVE:-/srv}/x', '/srv/x'],
    ['${GOPATH:-~/go}/pkg', '/home/u/go/pkg'],
    ['${COLON:-~/go}/pkg', '/srv/a:b/pkg'],
    ['/etc/$HOME', '/etc/$HOME'],
    ['/a/é', '/a/\xc3\xa9'],
    ['on', 'on'],
    ['$HOMES', '$HOMES'],
  ] as const)('makes %s %s', ([written, path]) => {
    expect(expandPath(written, facts)).toBe(path);
  });
});

/** What a profile means, whatever file says it. */
function withoutPlaces(profile: Profile): unknown {
  const { filesystem, environment, rollback, workdir, network, ask, description } = profileDocument(profile);
  const text = JSON.stringify({ filesystem, environment, rollback, workdir, network, ask, description });
  return JSON.parse(text, (key, value: unknown) => (key === 'place' ? undefined : value));
}

describe('the built-in profiles', () => {
  test('are listed, behind those of the user', () => {
    using home = createHome({ zebra: '', default: '' });

    const listed = listProfiles(home.places).map(({ name, isBuiltIn }) => `${name}${isBuiltIn ? ' built in' : ''}`);

    expect(listed.slice(0, 2)).toEqual(['default', 'zebra']);
    expect(listed).not.toContain('default built in');
  });

  test.for([...BUILT_IN_PROFILES.keys()])('%s can be resolved and says what it is for', (name) => {
    using home = createHome({});

    const { description, files } = resolveProfile(name as Bytes, home.places);

    expect(description).toMatch(/^[A-Z].{10,90}[^.]$/);
    expect(files.at(-1)).toBe(`built-in/${name}.toml`);
  });

  test.for([...BUILT_IN_PROFILES.keys()])('%s can be printed and read again', (name) => {
    using home = createHome({});
    const profile = resolveProfile(name as Bytes, home.places);

    const { settings } = parseProfile(renderProfile(profile), 'again.toml');

    const again = layProfile(EMPTY_PROFILE, { fileName: 'again.toml', settings });
    expect(withoutPlaces(again)).toEqual(withoutPlaces(profile));
  });

  test('default is what a run without a profile has', () => {
    const { settings, fileName } = parseProfile(BUILT_IN_PROFILES.get('default') ?? '', 'default.toml');

    expect(layProfile(EMPTY_PROFILE, { settings, fileName })).toEqual({
      ...EMPTY_PROFILE,
      description: settings[''].description,
      files: ['default.toml'],
    });
  });
});
