import { chmodSync, chownSync, cpSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const NOBODY = 65534;

function write(world: World, path: string, content: string, mode = 0o755): void {
  const full = join(world.home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  chmodSync(full, mode);
}

function link(world: World, path: string, target: string): void {
  const full = join(world.home, path);
  mkdirSync(dirname(full), { recursive: true });
  symlinkSync(target, full);
}

/** Everything below the home belongs to the world's user, as if that one had installed it. */
function own(world: World): void {
  const walk = (path: string): void => {
    if (lstatSync(path).isSymbolicLink()) return;
    chownSync(path, NOBODY, NOBODY);
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
  };
  walk(world.home);
}

/** A prefix with a program that needs the library beside it. */
function install(world: World, prefix: string, name: string): void {
  write(world, `${prefix}/bin/${name}`, '#!/bin/sh\n. "$(dirname "$(readlink -f "$0")")/../lib/part.sh"\n');
  write(world, `${prefix}/lib/part.sh`, 'echo works\n', 0o644);
}

describe('a tool installed below the home directory works without a grant', () => {
  test.for([
    {
      layout: 'nvm',
      path: ['.nvm/versions/node/v20.1.0/bin'],
      make: (w: World) => install(w, '.nvm/versions/node/v20.1.0', 'tool'),
    },
    {
      layout: 'pyenv shims',
      path: ['.pyenv/shims'],
      make: (w: World) => {
        install(w, '.pyenv/versions/3.12.1', 'tool');
        write(w, '.pyenv/shims/tool', `#!/bin/sh\nexec "${w.home}/.pyenv/versions/3.12.1/bin/tool"\n`);
      },
    },
    {
      layout: 'volta',
      path: ['.volta/bin'],
      make: (w: World) => {
        install(w, '.volta/tools/x', 'tool');
        link(w, '.volta/bin/tool', '../tools/x/bin/tool');
      },
    },
    {
      layout: 'fnm',
      path: ['.local/state/fnm_multishells/1_2/bin'],
      make: (w: World) => {
        install(w, '.local/share/fnm/node-versions/v20/installation', 'tool');
        link(w, '.local/state/fnm_multishells/1_2', '../../share/fnm/node-versions/v20/installation');
      },
    },
    {
      layout: '~/.local/bin, a file',
      path: ['.local/bin'],
      make: (w: World) => write(w, '.local/bin/tool', '#!/bin/sh\necho works\n'),
    },
    {
      layout: '~/.local/bin, a link to a tool of its own',
      path: ['.local/bin'],
      make: (w: World) => {
        install(w, '.local/share/pipx/venvs/tool', 'tool');
        link(w, '.local/bin/tool', '../share/pipx/venvs/tool/bin/tool');
      },
    },
    {
      layout: '~/.local/bin, a link to one versioned file',
      path: ['.local/bin'],
      make: (w: World) => {
        write(w, '.local/share/agent/versions/1.2.3', '#!/bin/sh\necho works\n');
        link(w, '.local/bin/tool', '../share/agent/versions/1.2.3');
      },
    },
    {
      layout: 'a global npm package',
      path: ['.npm-global/bin'],
      make: (w: World) => {
        write(
          w,
          '.npm-global/lib/node_modules/@scope/tool/cli.sh',
          '#!/bin/sh\n. "$(dirname "$(readlink -f "$0")")/lib/part.sh"\n',
        );
        write(w, '.npm-global/lib/node_modules/@scope/tool/lib/part.sh', 'echo works\n', 0o644);
        link(w, '.npm-global/bin/tool', '../lib/node_modules/@scope/tool/cli.sh');
      },
    },
    {
      layout: 'rustup',
      path: ['.cargo/bin'],
      make: (w: World) => {
        install(w, '.rustup/toolchains/stable', 'tool');
        write(w, '.cargo/bin/tool', `#!/bin/sh\nexec "${w.home}/.rustup/toolchains/stable/bin/tool"\n`);
      },
    },
    {
      layout: 'an interpreter by env',
      path: ['.nvm/versions/node/v20.1.0/bin', '.local/bin'],
      make: (w: World) => {
        install(w, '.nvm/versions/node/v20.1.0', 'interp');
        write(w, '.local/bin/tool', '#!/usr/bin/env interp\n');
      },
    },
  ])('$layout', async ({ path, make }, context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    write(world, '.ssh/id', 'secret\n', 0o600);
    make(world);
    own(world);
    const environment = { PATH: [...path.map((entry) => join(world.home, entry)), '/usr/bin', '/bin'].join(':') };

    const { status, stdout, stderr } = await runNono(world, ['run', '--allow-cwd', '--', 'tool'], { environment });
    const inside = `tool; cat "$HOME/.ssh/id" 2>&1; (echo x > "$(dirname "$(readlink -f "$(command -v tool)")")/planted") 2>&1`;
    const probe = await runNono(world, ['wrap', '--allow-cwd', '--', 'sh', '-c', inside], { environment });

    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'works\n', stderr: '' });
    expect(probe.stdout).toMatch(/^works\n.*id: Permission denied\n.*[Pp]ermission denied\n$/);
  });

  test('the node of this machine, moved there, runs a script of the project', async (context) => {
    needOtherUser(context);
    needCommands(context, '/usr/bin/node');
    using world = createWorld({ ordinaryUser: true });
    mkdirSync(join(world.home, '.nvm/versions/node/v20/bin'), { recursive: true });
    cpSync('/usr/bin/node', join(world.home, '.nvm/versions/node/v20/bin/node'), { dereference: true });
    own(world);
    const environment = { PATH: `${join(world.home, '.nvm/versions/node/v20/bin')}:/usr/bin:/bin` };

    const { status, stdout } = await runNono(world, ['run', '--allow-cwd', '--', 'node', '-p', '6 * 7'], { environment });

    expect({ status, stdout }).toEqual({ status: 0, stdout: '42\n' });
  });

  test('but a PATH entry opens neither the home directory nor what holds something sensitive', async () => {
    using world = createWorld();
    write(world, 'bin/tool', '#!/bin/sh\ncat "$HOME/notes.txt"\n');
    write(world, 'notes.txt', 'private\n', 0o644);
    write(world, '.tools/.npmrc-like', 'x', 0o644);
    const environment = { PATH: `${join(world.home, 'bin')}:/usr/bin:/bin` };

    const { status, stderr } = await runNono(world, ['run', '--allow-cwd', '--', 'tool'], { environment });

    expect(status).toBe(1);
    expect(stderr).toMatch(/notes\.txt: Permission denied/);
  });
});

test('a program that is named by its path does not open what lies around it, nor does an empty entry of PATH', async () => {
  using world = createWorld();
  write(world, 'Downloads/install.sh', '#!/bin/sh\ncat "$HOME/Downloads/letter" "$HOME/work/letter"\n');
  write(world, 'Downloads/letter', 'private\n', 0o644);
  write(world, 'work/letter', 'private\n', 0o644);
  write(world, 'work/inside/x', 'x', 0o644);
  const cwd = join(world.home, 'work');
  const environment = { PATH: ':/usr/bin:/bin' };
  const command = ['--', '../Downloads/install.sh'];

  const { stdout, stderr } = await runNono(world, ['run', '--allow', 'inside', ...command], { environment, cwd });
  const given = await runNono(world, ['run', '--read', '.', '--read', '../Downloads', ...command], { environment, cwd });

  expect(stdout).toBe('');
  expect(stderr).toMatch(/Downloads\/letter: Permission denied\n.*work\/letter: Permission denied/);
  expect(given.stdout).toBe('private\nprivate\n');
});

describe('a tool that is linked into the project, as npm link does it', () => {
  test.for(['run', 'wrap'])('(%s) is refused where it is, and named there; why names the same', async (verb) => {
    using world = createWorld();
    install(world, 'work/tool', 'tool');
    const target = join(world.home, 'work/tool/bin/tool');
    mkdirSync(join(world.project, 'node_modules/.bin'), { recursive: true });
    symlinkSync(join(world.home, 'work/tool'), join(world.project, 'node_modules/tool'));
    symlinkSync('../tool/bin/tool', join(world.project, 'node_modules/.bin/tool'));
    const path = 'node_modules/.bin/tool';

    const { stderr, status } = await runNono(world, [verb, '--allow-cwd', '--', path]);
    expect(stderr).toContain(
      `which is ${target}: permission denied [E_CANNOT_EXECUTE]\nHint: Share what it leads to with --read-file ${target}, `,
    );
    expect(status).toBe(126);
    const why = await runNono(world, ['why', '--path', path, '--op', 'read', '--allow-cwd']);
    expect(why.stdout).toContain(`denied: no rule reaches it (the kernel agrees)\n  To allow it: --read-file ${target}\n`);
    const given = await runNono(world, [verb, '--allow-cwd', '--read', join(world.home, 'work/tool'), '--', path]);
    expect(given).toMatchObject({ stdout: 'works\n', status: 0 });
  });
});
