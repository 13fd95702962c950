import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { whatIsWrong } from '../support/fuzz-verbs.ts';
import { memoryDirectory } from '../support/memory.ts';
import { runScript, shellBytes } from '../support/odd-words.ts';
import { dumpTree } from '../support/tree.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

/** Each is a dozen runs of nono. */
const RUNS = { numRuns: runs(import.meta.filename, 30) };
const NAME_BYTES_MAXIMUM = 255;
/** What git, nono, or a rule of nono's has a meaning for. */
const MEANT = /^(?:\.{1,2}|\.git.*|node_modules|target|\.venv|__pycache__|\.DS_Store)$/i;

const name = fc
  .oneof(
    fc.constantFrom(
      '-rf',
      '--',
      '-',
      ' ',
      ' x ',
      '\n',
      '\r',
      '\t',
      '\x1b[2J',
      '\x1b]0;t\x07',
      '\xff',
      '\xed\xa0\x80',
      '\xe2\x80\xae',
      '\x9b31m',
    ),
    fc.constantFrom(
      '~',
      '$(id)',
      '`id`',
      '*',
      '?',
      '[a]',
      '!x',
      '#x',
      '\\',
      '"',
      "'",
      '<b>',
      '&amp;',
      '%s%n',
      '__proto__',
      'constructor',
      'lock',
      'manifest.json',
    ),
    fc.constantFrom(
      'x'.repeat(NAME_BYTES_MAXIMUM),
      '\n'.repeat(NAME_BYTES_MAXIMUM),
      '\xff'.repeat(NAME_BYTES_MAXIMUM),
      '...',
      'con',
      'a\\nb',
      'é',
    ),
    fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((unit) => String.fromCharCode(unit)), minLength: 1, maxLength: 30 }),
  )
  .map((text) => Buffer.from(text, 'latin1').toString('latin1').replaceAll('/', '_').slice(0, NAME_BYTES_MAXIMUM))
  .filter((text) => !MEANT.test(text));
/** By their paths, of bytes; one that has a slash is in a directory. */
const tree = fc.dictionary(
  fc.oneof(
    name,
    fc.tuple(name, name).map(([above, below]) => `${above}/${below}`),
  ),
  fc.constantFrom('', 'one\n', 'two\n', 'no newline', '\0\xff'),
  { maxKeys: 6 },
);
type Tree = Readonly<Record<string, string>>;

function write(top: string, files: Tree): void {
  fs.mkdirSync(top);
  for (const [path, content] of Object.entries(files)) {
    const at = path.indexOf('/');
    const isFree = (end: number) =>
      !fs.existsSync(bytes(`${top}/${path.slice(0, end)}`)) || fs.statSync(bytes(`${top}/${path.slice(0, end)}`)).isDirectory();
    if (at > 0 && isFree(at)) fs.mkdirSync(bytes(`${top}/${path.slice(0, at)}`), { recursive: true });
    if (isFree(at > 0 ? at : path.length) && !fs.existsSync(bytes(`${top}/${path}`)))
      fs.writeFileSync(bytes(`${top}/${path}`), bytes(content));
  }
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

const LOOKING = [
  'rollback show latest',
  'rollback show --json latest',
  'rollback show --diff --no-pager latest',
  'rollback show --side-by-side --no-pager latest',
  'rollback export --html - latest',
  'rollback export --patch - latest',
  'rollback export --tar - latest',
  'rollback restore --dry-run latest',
  'rollback restore --dry-run --json latest',
  'rollback verify --all --json',
] as const;

describe('files of whatever names', () => {
  test('are tracked, shown, exported and put back, and their names do nothing to a terminal', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        using world = createWorld({ place: memoryDirectory(), ordinaryUser: canBecomeOrdinaryUser() });
        write(join(world.project, 'tree'), before);
        write(join(world.project, 'next'), after);
        giveToUser(world);
        const whole = dumpTree(world.project);
        await expectPlain(world, 'run --rollback --allow-cwd -- sh -c "rm -r tree; mv next tree"');
        for (const call of LOOKING) await expectPlain(world, call);
        const [path = ''] = Object.keys(before);
        // The shell takes newlines at the end of a word away.
        if (path !== '' && !path.endsWith('\n')) await expectPlain(world, `rollback show latest ${shellBytes(`tree/${path}`)}`);
        await expectPlain(world, 'rollback restore latest');
        expect(dumpTree(world.project)).toEqual(whole);
      }),
      RUNS,
    );
  });
});

async function expectPlain(world: World, call: string): Promise<void> {
  const outcome = await runScript(world, `exec "$NONO" ${call}`);
  const wrong = whatIsWrong(outcome, call.split(' '));
  if (outcome.status !== 0 || wrong !== undefined) throw new Error(JSON.stringify({ call, wrong, ...outcome }));
}

/** Root has made them. */
function giveToUser(world: World): void {
  if (!canBecomeOrdinaryUser()) return;
  const { uid, gid } = fs.statSync(world.project);
  const visit = (path: Buffer): void => {
    fs.lchownSync(path, uid, gid);
    if (!fs.lstatSync(path).isDirectory()) return;
    for (const below of fs.readdirSync(path, { encoding: 'buffer' })) visit(Buffer.concat([path, Buffer.from('/'), below]));
  };
  visit(Buffer.from(world.project));
}
