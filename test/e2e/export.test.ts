import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { needBrowser, openBrowser } from '../support/browser.ts';
import { runProgram } from '../support/nono.ts';
import { ownProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { createWorld, type World } from '../support/world.ts';

const ATTACKS = [
  '<script>window.ran = 1</script>',
  '<img src=x onerror="window.ran = 1">',
  '</td></tr></table></details></style></title><script>window.ran = 1</script>',
  '" onmouseover="window.ran = 1" x="',
  "' autofocus onfocus='window.ran = 1' x='",
  '<style>*{display:none}</style>',
  '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:1/">',
  '<base href="http://127.0.0.1:1/"><a id="f0" href="javascript:window.ran=1">x</a>',
  '<iframe src="http://127.0.0.1:1/"></iframe>',
  '&lt;script&gt;',
];

/** Attacks in contents, names, links, the command line and the branch. */
async function createHostileSession(): Promise<World> {
  const world = createWorld();
  writeProject(world, { 'plain.txt': `${ATTACKS.join('\n')}\nlast\n`, 'src/code.ts': 'const a = 1;\nconst b = 2;\n' });
  const script = ATTACKS.map(
    (attack, at) =>
      `printf '%s\\n' '${attack.replaceAll("'", "'\\''")}' > made${at}; printf '%s' x > '${attack.replaceAll('/', '_').replaceAll("'", "'\\''")}'`,
  ).join('; ');
  await runTracked(
    world,
    `sed -i 's/last/<script>window.ran = 1<\\/script>/; s/alert/x/' plain.txt; sed -i 's/b = 2/b = 3/' src/code.ts; ln -s '<script>window.ran=1' link; printf '\\033[2J\\0' > bin; echo x > .envrc; ${script}`,
  );
  return world;
}

interface Seen {
  readonly requests: string[];
  readonly dialogs: string[];
}

async function openPage(
  browser: Browser,
  file: string,
  options: Parameters<Browser['newPage']>[0],
): Promise<{ page: Page; seen: Seen }> {
  const page = await browser.newPage(options);
  const seen: Seen = { requests: [], dialogs: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('dialog', (dialog) => {
    seen.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(`file://${file}`);
  return { page, seen };
}

describe('nono rollback export --html', () => {
  test('makes a page that runs nothing and asks for nothing, whatever names and contents hold', async (context) => {
    const executable = needBrowser(context);
    using world = await createHostileSession();
    const file = join(world.project, 'review.html');
    expect(await rollback(world, ['export', 'latest', '--html', 'review.html'])).toMatchObject({ status: 0, stderr: '' });

    await using browser = await openBrowser(executable);
    const { page, seen } = await openPage(browser, file, { viewport: { width: 1280, height: 900 } });
    for (const link of await page.locator('nav a').all()) await link.hover();
    for (const summary of await page.locator('details.file > summary').all()) await summary.click();

    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(
      await page.locator('script, iframe, img, base, object, embed, form, [onerror], [onmouseover], [onfocus]').count(),
    ).toBe(0);
    expect(seen).toEqual({ requests: [`file://${file}`], dialogs: [] });
    expect(await page.locator('style').count()).toBe(1);
    const text = (await page.locator('body').innerText()).replaceAll(/\s+/g, ' ');
    for (const attack of ATTACKS) expect(text).toContain(attack.replaceAll(/\s+/g, ' '));
    expect(text).toContain('direnv runs it');
  });

  test('has no script even for a policy that would let one run', async () => {
    using world = await createHostileSession();
    const { stdout } = await rollback(world, ['export', 'latest', '--html', '-']);
    expect(stdout).not.toMatch(/<(?:script|img|iframe|base|object|embed|link|form)\b/i);
    expect(stdout.match(/<style>/g)).toHaveLength(1);
    expect(stdout).toContain(`content="default-src 'none'; style-src 'sha256-`);
    expect(stdout).not.toMatch(/(?:src|href)="(?!#f\d+")/);
  });

  test.for([
    { width: 1280, scheme: 'light' },
    { width: 1280, scheme: 'dark' },
    { width: 400, scheme: 'light' },
    { width: 400, scheme: 'dark' },
  ] as const)(
    'fits $width points and is $scheme when the reader wants it, folds and opens',
    async ({ width, scheme }, context) => {
      const executable = needBrowser(context);
      using world = await createHostileSession();
      const file = join(world.project, 'review.html');
      await rollback(world, ['export', 'latest', '--html', file]);

      await using browser = await openBrowser(executable);
      const { page } = await openPage(browser, file, { viewport: { width, height: 900 }, colorScheme: scheme });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(ground).toBe(scheme === 'dark' ? 'rgb(20, 23, 26)' : 'rgb(255, 255, 255)');
      const code = page.locator('details.file', { hasText: 'src/code.ts' }).first();
      const isOpen = async () => (await code.getAttribute('open')) !== null;
      const wasOpen = await isOpen();
      await code.locator('summary').click();
      expect(await isOpen()).toBe(!wasOpen);
      if (wasOpen) await code.locator('summary').click();
      expect(await code.locator('td.r mark').innerText()).toBe('2');
      expect(await code.locator('td.a mark').innerText()).toBe('3');
      // Both sides have room to be read: beside each other, or one above the other.
      for (const cell of ['td.r', 'td.a']) {
        expect((await code.locator(cell).boundingBox())?.width).toBeGreaterThan(width === 400 ? 280 : 500);
      }
      expect((await page.screenshot({ fullPage: true })).length).toBeGreaterThan(10_000);
    },
  );
});

describe('nono rollback export --patch and --tar', () => {
  test('the patch takes the changed files back through git apply -R, from a file and from standard output', async () => {
    using world = createWorld();
    writeProject(world, { a: 'one\ntwo\n', bin: 'a\0b', gone: 'gone\n' });
    const read = () => fs.readdirSync(world.project).map((name) => [name, fs.readFileSync(join(world.project, name), 'utf8')]);
    const before = read();
    await runTracked(world, "printf 'one\\n2\\n' > a; printf 'b\\0c' > bin; mv gone 'new name'");
    expect(await rollback(world, ['export', 'latest', '--patch', '../undo.patch'])).toMatchObject({ status: 0, stderr: '' });
    const file = join(world.directory, 'undo.patch');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect((await rollback(world, ['export', 'latest', '--patch', '-'])).stdout).toBe(fs.readFileSync(file, 'utf8'));
    execFileSync('git', ['apply', '-R', file], { cwd: world.project });
    expect(read()).toEqual(before);
  });

  test('the patch leaves out, and names, what git apply would refuse it for', async () => {
    using world = createWorld();
    writeProject(world, { file: 'one\n', 'git~1': 'moved away\n', moved: 'moved in\n', other: 'x\n' });
    const copy = join(world.directory, 'copy');
    fs.cpSync(world.project, copy, { recursive: true });
    await runTracked(
      world,
      "echo two > file; mv 'git~1' kept; mkdir .Git; mv moved .Git/hook; ln -s file .gitmodules; echo x > .git-keep; mkdir 'd\\.git'; echo x > 'd\\.git/x'",
    );

    const { stdout, stderr } = await rollback(world, ['export', 'latest', '--patch', '-']);

    execFileSync('git', ['apply'], { cwd: copy, input: stdout });
    expect(fs.readdirSync(copy).sort()).toEqual(['.git-keep', 'file', 'git~1', 'kept', 'other']);
    expect(fs.readFileSync(join(copy, 'file'), 'utf8')).toBe('two\n');
    expect(stderr).toMatch(/4 paths that git apply refuses: \.Git\/hook, \.gitmodules, .*, …\n$/);
    execFileSync('git', ['apply', '-R'], { cwd: copy, input: stdout });
    expect(fs.readdirSync(copy).sort()).toEqual(['file', 'git~1', 'moved', 'other']);
  });

  test('the archive has both states, with long names, links, modes and times, as tar reads them', async () => {
    using world = createWorld();
    const long = `${'d'.repeat(80)}/${'f'.repeat(90)}`;
    writeProject(world, { a: 'one\n', [long]: 'x' });
    await runTracked(
      world,
      `echo two > a; echo y > ${long}; chmod 750 ${long}; ln -s ${'t'.repeat(150)} link; printf z > "$(printf 'bad\\377')"; mkdir empty`,
    );
    expect(await rollback(world, ['export', 'latest', '--tar', '../out.tar'])).toMatchObject({ status: 0 });
    const out = join(world.directory, 'out');
    fs.mkdirSync(out);
    execFileSync('tar', ['xf', join(world.directory, 'out.tar'), '-C', out]);
    expect(fs.readFileSync(join(out, 'before/a'), 'utf8')).toBe('one\n');
    expect(fs.readFileSync(join(out, 'before', long), 'utf8')).toBe('x');
    for (const path of ['a', long]) {
      const [original, copy] = [
        fs.statSync(join(world.project, path), { bigint: true }),
        fs.statSync(join(out, 'after', path), { bigint: true }),
      ];
      expect([copy.mode, copy.size, copy.mtimeNs]).toEqual([original.mode, original.size, original.mtimeNs]);
    }
    expect(fs.readlinkSync(join(out, 'after/link'))).toBe('t'.repeat(150));
    expect(fs.statSync(join(out, 'after/empty')).isDirectory()).toBe(true);
    expect(fs.readFileSync(Buffer.from(`${out}/after/bad\xff`, 'latin1'), 'utf8')).toBe('z');
  });

  test.for([
    { words: [], status: 2, error: 'without a form' },
    { words: ['--patch', 'a', '--tar', 'b'], status: 2, error: 'choose one' },
    { words: ['--patch', '/nowhere/a'], status: 1, error: 'E_OUTPUT' },
    { words: ['--html', '.'], status: 1, error: 'E_OUTPUT' },
    { words: ['--tar', 'x', '--snapshot', '0..9'], status: 2, error: 'there is no snapshot 9' },
  ])('refuses $words with $status', async ({ words, status, error }) => {
    using world = createWorld();
    writeProject(world, { a: 'one\n' });
    await runTracked(world, 'echo two > a');
    const outcome = await rollback(world, ['export', 'latest', ...words]);
    expect(outcome).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(error) });
    expect(fs.readdirSync(world.project)).toEqual(['a']);
  });

  test('writes through a link, and replaces nothing that is no file', async () => {
    using world = createWorld();
    writeProject(world, { a: 'before\n' });
    await runTracked(world, 'echo after > a');
    const out = join(world.home, 'out');
    fs.mkdirSync(out);
    fs.writeFileSync(join(out, 'file'), 'old');
    fs.symlinkSync('file', join(out, 'link'));
    execFileSync('mkfifo', [join(out, 'fifo')]);
    expect(await rollback(world, ['export', 'latest', '--patch', join(out, 'link')])).toMatchObject({ status: 0 });
    expect(fs.readFileSync(join(out, 'file'), 'utf8')).toContain('+after');
    expect(fs.lstatSync(join(out, 'link')).isSymbolicLink()).toBe(true);
    const refused = await rollback(world, ['export', 'latest', '--patch', join(out, 'fifo')]);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('it is no regular file') });
    expect(fs.lstatSync(join(out, 'fifo')).isFIFO()).toBe(true);
    const shown = await rollback(world, ['export', 'latest', '--patch', '/dev/stdout']);
    expect(shown).toMatchObject({ status: 0, stdout: expect.stringContaining('+after') });
  });

  test.for([
    { name: 'the file', plant: 'ln -s ../home/.profile review.html', target: 'review.html' },
    { name: 'the file, by an absolute path', plant: 'ln -s ../home/.profile review.html', target: 'PROJECT/review.html' },
    { name: 'its directory', plant: 'rmdir out; ln -s ../home out', target: 'out/.profile' },
  ])('follows no link that the command has put in the place of $name', async ({ plant, target }) => {
    using world = createWorld();
    writeProject(world, { a: 'before\n' });
    fs.mkdirSync(join(world.project, 'out'));
    ownProject(world);
    fs.writeFileSync(join(world.home, '.profile'), 'mine\n');
    await runTracked(world, `echo after > a; ${plant}`);

    const outcome = await rollback(world, ['export', 'latest', '--html', target.replace('PROJECT', world.project)]);

    expect(fs.readFileSync(join(world.home, '.profile'), 'utf8')).toBe('mine\n');
    expect(outcome).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('a link leads elsewhere') });
    expect(await rollback(world, ['export', 'latest', '--html', 'other.html'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('leaves what stood there when the disk is full, and nothing half written', async () => {
    using world = createWorld();
    writeProject(world, { a: 'one\n', 'old.tar': 'old' });
    await runTracked(world, 'head -c 3000000 /dev/zero > a');
    ownProject(world);
    const limited = `ulimit -f 1000; trap '' XFSZ; "$0" rollback export latest --tar old.tar`;
    const outcome = await runProgram(world, ['bash', '-c', limited, world.executable]);
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining('E_OUTPUT') });
    expect(fs.readFileSync(join(world.project, 'old.tar'), 'utf8')).toBe('old');
    expect(fs.readdirSync(world.project).sort()).toEqual(['a', 'old.tar']);
  });
});
