import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { createWorld } from '../support/world.ts';

/**
 * A compiled Bun executable reads its runtime's configuration from the current directory unless the build says
 * otherwise: in a hostile repository, code that runs before main and outside the sandbox.
 */
describe('a hostile working directory', () => {
  function plant(project: string): string {
    const proof = join(project, 'proof');
    const attack = `require('node:fs').appendFileSync(${JSON.stringify(proof)}, 'ran\\n');\n`;
    writeFileSync(join(project, 'attack.js'), attack);
    const preload = 'preload = ["./attack.js"]\n';
    writeFileSync(join(project, 'bunfig.toml'), `${preload}[run]\n${preload}[test]\n${preload}`);
    writeFileSync(join(project, '.bunfig.toml'), preload);
    for (const name of ['.env', '.env.local', '.env.production', '.env.development']) {
      writeFileSync(join(project, name), 'NONO_HOME=/dev/null/planted\nPLANTED=yes\nBUN_OPTIONS=--preload=./attack.js\n');
    }
    writeFileSync(
      join(project, 'package.json'),
      '{ "type": "commonjs", "imports": { "#x": "./attack.js" }, "bun": { "preload": "./attack.js" } }\n',
    );
    writeFileSync(join(project, 'tsconfig.json'), '{ "compilerOptions": { "paths": { "*": ["./attack.js"] } } }\n');
    const modules = join(project, 'node_modules');
    for (const name of ['ignore', 'diff', 'picocolors', 'bun']) {
      mkdirSync(join(modules, name), { recursive: true });
      writeFileSync(join(modules, name, 'index.js'), attack);
    }
    const programs = join(project, 'bin');
    mkdirSync(programs);
    for (const name of ['git', 'sh', 'bun', 'node']) {
      writeFileSync(join(programs, name), `#!/bin/sh\necho ran >> '${proof}'\n`);
      chmodSync(join(programs, name), 0o755);
    }
    return proof;
  }

  test.for([
    { words: ['--version'], stdout: /^nono / },
    { words: ['help'], stdout: /^nono / },
    { words: ['rollback', 'list'], stdout: /0 session\(s\)/ },
    { words: ['wrap', '--allow-cwd', '--', '/bin/echo', 'fine'], stdout: /^fine\n$/ },
    { words: ['run', '--allow-cwd', '--', '/bin/echo', 'fine'], stdout: /^fine\n$/ },
    { words: ['run', '--rollback', '--allow-cwd', '--', '/bin/echo', 'fine'], stdout: /^fine\n$/ },
    { words: ['wrap', '--allow-cwd', '--', '/bin/sh', '-c', 'echo "[$PLANTED]"'], stdout: /^\[\]\n$/ },
  ])('has no say in nono $words', async ({ words, stdout: expected }) => {
    using world = createWorld();
    const proof = plant(world.project);

    const { status, stdout, stderr } = await runNono(world, words);

    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(expected);
    expect(existsSync(proof)).toBe(false);
  });

  test('has no say in what is shared as a tool: by a link on PATH, nor by the first line of a script', async () => {
    using world = createWorld();
    const letters = join(world.home, 'letters');
    const programs = join(world.project, 'venv/bin');
    mkdirSync(letters);
    mkdirSync(programs, { recursive: true });
    writeFileSync(join(letters, 'one'), 'dear');
    symlinkSync(letters, join(programs, 'ruby'));
    writeFileSync(join(world.project, 'run'), `#!/usr/bin/env -S -u ${letters}/one sh\ncat ${letters}/one\n`, { mode: 0o755 });
    const environment = { PATH: `${programs}:/usr/bin:/bin` };

    const { status, stdout, stderr } = await runNono(world, ['wrap', '--allow-cwd', '--', './run'], { environment });

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/letters\/one: Permission denied/);
  });
});
