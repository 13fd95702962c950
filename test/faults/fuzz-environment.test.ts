import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { whatIsWrong } from '../support/fuzz-verbs.ts';
import { memoryDirectory } from '../support/memory.ts';
import { runScript, shellBytes } from '../support/odd-words.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

const RUNS = { numRuns: runs(import.meta.filename, 100) };
let world: World;

/** Not as root, who may write in whatever directory a variable names. */
beforeAll(() => {
  world = createWorld({ place: memoryDirectory(), ordinaryUser: canBecomeOrdinaryUser() });
  writeFileSync(join(world.directory, 'file'), 'no directory\n');
  symlinkSync('loop', join(world.directory, 'loop'));
  mkdirSync(join(world.directory, 'closed'), { mode: 0o000 });
});
afterAll(() => world[Symbol.dispose]());

/** What nono itself reads. */
const READ = [
  'HOME',
  'NONO_HOME',
  'XDG_CONFIG_HOME',
  'TMPDIR',
  'PATH',
  'TERM',
  'PAGER',
  'SHELL',
  'NO_COLOR',
  'CLICOLOR',
  'NONO_PLAIN',
  'NONO_SESSION_ID',
  'CARGO_HOME',
  'GOPATH',
] as const;
/** `@` is the directory of the world. */
const PLACES = [
  '',
  '/',
  '@/home',
  '@/new',
  '@/file',
  '@/file/x',
  '@/loop',
  '@/closed/x',
  '@/\xff\xfe',
  '@/a\nb',
  '@/\x1b[2Jx',
  '@/home/..',
  '@//home/./',
];
const ELSEWHERE = [
  'x',
  '../..',
  '~',
  '$HOME',
  '/dev/null',
  '/dev/null/x',
  '/proc/self',
  '/nonexistent/a/b',
  `/${'x'.repeat(300)}`,
  '/y'.repeat(2500),
];
const OTHERS = ['0', '1', '-1', 'dumb', '__proto__', 'constructor', '%s%n', '\xff', '\x1b]0;t\x07', ':', '.', 'sh -c true', '='];
const odd = fc.oneof(
  fc.constantFrom(...PLACES, ...ELSEWHERE, ...OTHERS),
  fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((unit) => String.fromCharCode(unit)), maxLength: 20 }),
);
const environment = fc.dictionary(fc.constantFrom(...READ), odd, { maxKeys: 4 });
/** Of those nono knows nothing: the command gets them as they are. */
const unknown = fc.dictionary(
  fc
    .string({ unit: fc.integer({ min: 1, max: 255 }).map((unit) => String.fromCharCode(unit)), minLength: 1, maxLength: 8 })
    .map((name) => `ODD_${name.replaceAll('=', '_').replace(/\n+$/, '')}`),
  odd.map((value) => value.replace(/\n+$/, '')),
  { maxKeys: 3 },
);

const CALLS = [
  ['ps', '--all', '--json'],
  ['run', '--allow-cwd', '--', 'true'],
  ['run', '--dry-run', '--allow-cwd', '--', 'true'],
  ['run', '--rollback', '--allow-cwd', '--', 'true'],
  ['wrap', '--allow-cwd', '--', 'true'],
  ['rollback', 'list', '--all'],
  ['profile', 'list'],
  ['config', 'show'],
  ['config', 'path'],
  ['doctor', '--json'],
  ['why', '/etc/passwd'],
  ['prune'],
  ['__complete', '--', 'nono', 'attach', ''],
] as const;

/** A call of env(1) that gives its command these variables and no others. */
function envOf(variables: Readonly<Record<string, string>>): string {
  const all = { ...world.environment, ...variables };
  const words = Object.entries(all).map(([name, value]) => shellBytes(`${name}=${value.replaceAll('@', world.directory)}`));
  return `/usr/bin/env -i ${words.join(' ')}`;
}

describe('whatever is in its environment', () => {
  test('nono does as it is told or explains why not', async () => {
    await fc.assert(
      fc.asyncProperty(environment, fc.constantFrom(...CALLS), async (variables, call) => {
        const outcome = await runScript(world, `exec ${envOf(variables)} "$NONO" ${call.join(' ')}`);
        expect({ variables, call, ...outcome, wrong: whatIsWrong(outcome, call) }).toMatchObject({
          wrong: undefined,
        });
      }),
      RUNS,
    );
  });

  test('the command gets what nono knows nothing of, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(unknown, async (variables) => {
        const { stdout, stderr } = await runScript(
          world,
          `${envOf(variables)} "$NONO" wrap --allow-cwd -- /usr/bin/env -0 | od -An -v -tx1`,
        );
        const got = Buffer.from(stdout.replaceAll(/\s/g, ''), 'hex').toString('latin1').split('\0');
        const wanted = Object.entries(variables).map(([name, value]) => `${name}=${value.replaceAll('@', world.directory)}`);
        expect({ stderr, odd: got.filter((entry) => entry.startsWith('ODD_')).toSorted() }).toEqual({
          stderr: '',
          odd: wanted.toSorted(),
        });
      }),
      RUNS,
    );
  });
});
