import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Block, readBlocks } from '../support/markdown-blocks.ts';
import { runNono, runProgram } from '../support/nono.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const top = resolve(import.meta.dirname, '../..');
const PAGES = [
  'README.md',
  ...readdirSync(join(top, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
/** Some pages start a dozen sessions, one after the other. */
const PAGE_TIMEOUT_MS = 180_000;

/** Changes a file and says so; on a terminal it stays until somebody says stop. */
const AGENT =
  'echo "by the agent" >> src/main.txt; echo working; [ ! -t 0 ] || while read -r line; do case $line in stop*) exit 0 ;; esac; done';

/** What the pages call by its name and no machine has. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'your-agent': AGENT,
  claude: AGENT,
  codex: AGENT,
  opencode: AGENT,
  gemini: AGENT,
  npm: 'echo "$@"',
  make: 'echo "$@"',
  // The other machine is this one.
  ssh: '[ "$1" != -t ] || shift; shift; cd && exec sh -c "$*"',
};

/** A home with a project in git, and on its PATH nono and what the pages call. */
function furnish(world: World): World {
  const bin = join(world.directory, 'bin');
  const project = join(world.home, 'dev', 'sprockets');
  for (const path of [bin, join(project, 'src'), join(world.home, 'data')]) mkdirSync(path, { recursive: true });
  symlinkSync(world.executable, join(bin, 'nono'));
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  writeFileSync(join(project, 'src', 'main.txt'), 'by you\n');
  const environment = { ...world.environment, PATH: `${bin}:${world.environment['PATH']}`, PAGER: 'cat' };
  const git = (...words: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...words], {
      cwd: project,
      env: environment,
      stdio: 'ignore',
    });
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'first');
  return { ...world, project, environment };
}

async function runBlock(world: World, { text, terminal }: Block): Promise<void> {
  if (terminal === undefined) {
    const { status, stdout, stderr } = await runProgram(world, ['sh', '-eu', '-c', text]);
    expect(status, `${stdout}${stderr}`).toBe(0);
    return;
  }
  await using window = await openTerminal(world, { command: ['sh', '-u', '-c', `${text}\necho "ended with $?"`] });
  await window.waitFor(terminal.wait);
  await window.press(...terminal.keys);
  await window.waitFor('ended with 0');
}

/** Settings and profiles are checked by nono itself. */
async function checkSettings(world: World, { text }: Block): Promise<void> {
  const directory = join(world.directory, 'settings');
  mkdirSync(join(directory, 'nono'), { recursive: true });
  writeFileSync(join(directory, 'nono', 'config.toml'), text);
  writeFileSync(join(directory, 'profile.toml'), text);
  const asConfig = await runNono(world, ['config', 'validate'], { environment: { XDG_CONFIG_HOME: directory } });
  const asProfile = await runNono(world, ['profile', 'validate', join(directory, 'profile.toml')]);
  expect(asConfig.status === 0 || asProfile.status === 0, `${asConfig.stderr}${asProfile.stderr}`).toBe(true);
}

/** What a picture says, row by row. */
function pictureText(picture: string): string {
  const texts = Array.from(picture.matchAll(/<text [^>]*>([^<]*)<\/text>/g), ([, text]) => text ?? '');
  return comparable(texts.join('\n').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
}

/** Without blanks, since a row may have been wrapped, and without what is another one each time. */
function comparable(text: string): string {
  const named = text.replaceAll(/\d{8}-\d{6}-\d+/g, 'ID').replaceAll(/\(session [0-9a-f]{6}\)/g, '(session ID)');
  return named.replaceAll(/\s+/g, '');
}

describe('the documents', () => {
  test.for(PAGES)(
    '%s says what works: every command in it is run, every setting checked',
    { timeout: PAGE_TIMEOUT_MS },
    async (page, context) => {
      needCommands(context, 'git', 'tmux');
      using bare = createWorld();
      const world = furnish(bare);
      const blocks = readBlocks(join(top, page));
      for (const block of blocks) {
        const place = `${page}:${block.line}`;
        try {
          if (block.skip !== undefined) console.log(`${place} is not run: it ${block.skip}`);
          else if (block.language === 'sh') await runBlock(world, block);
          else if (block.language === 'toml') await checkSettings(world, block);
        } catch (error) {
          throw new Error(`${place} does not do what it says`, { cause: error });
        }
      }
      expect(blocks.length).toBeGreaterThan(0);
      const live = JSON.parse((await runNono(world, ['ps', '--json'])).stdout) as { readonly session_id: string }[];
      if (live.length > 0) await runNono(world, ['stop', '--force', ...live.map(({ session_id: id }) => id)]);
    },
  );

  test('name every language that they use, so that no command hides in a block that is not run', () => {
    const languages = PAGES.flatMap((page) => readBlocks(join(top, page)).map(({ language }) => language));

    expect([...new Set(languages)].toSorted()).toEqual(['ini', 'sh', 'text', 'toml', 'yaml']);
  });

  test.for([...PAGES, 'CHANGELOG.md'])('%s links to what is there', (page) => {
    const text = readFileSync(join(top, page), 'utf8');
    const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, link]) => link ?? '');

    expect(links.filter((link) => !existsSync(join(top, dirname(page), link)))).toEqual([]);
  });

  test('the picture of the README, and the text below it, are what nono shows today', async () => {
    using world = createWorld();
    const file = join(world.directory, 'tour.svg');
    const made = await runProgram(world, ['sh', join(top, 'scripts/picture.sh'), world.executable, file]);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    const today = pictureText(readFileSync(file, 'utf8'));
    const text = readBlocks(join(top, 'README.md')).find(({ language }) => language === 'text')?.text ?? '';

    expect(today).toMatch(/Permissiondenied.*Undowith:nonorollbackrestoreID$/);
    expect(pictureText(readFileSync(join(top, 'docs/tour.svg'), 'utf8'))).toBe(today);
    expect(comparable(text)).toBe(today);
  });
});
