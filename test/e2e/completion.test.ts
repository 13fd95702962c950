import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { startDetached } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

/** A world with nono on its PATH, a session that runs, one that can be undone, and files to name. */
async function createFurnishedWorld() {
  const world = createWorld();
  const bin = join(world.directory, 'bin');
  mkdirSync(bin);
  symlinkSync(world.executable, join(bin, 'nono'));
  mkdirSync(join(world.project, 'src'));
  writeFileSync(join(world.project, 'some file.txt'), '');
  const path = `${bin}:${world.environment['PATH']}`;
  const furnished: World = { ...world, environment: { ...world.environment, PATH: path } };
  const id = await startDetached(furnished, '--name', 'work-node', '--rollback', '--silent', '--', 'sleep', '1000');
  const list = await runNono(furnished, ['rollback', 'list', '--all', '--json']);
  const [{ session_id: rollbackId }] = JSON.parse(list.stdout) as [{ session_id: string }];
  return {
    world: furnished,
    id,
    rollbackId,
    [Symbol.asyncDispose]: async () => {
      await runNono(furnished, ['stop', '--force', id]);
      world[Symbol.dispose]();
    },
  };
}

/** What a shell would offer for the last word of each call. */
type Complete = (world: World, calls: readonly (readonly string[])[]) => Promise<readonly string[][]>;

/** As bash calls the function: `=` stands apart. */
const completeInBash = async (world: World, words: readonly string[]) => {
  const script = `eval "$(nono completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nono; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines(await runProgram(world, ['bash', '--norc', '-c', script, 'bash', 'nono', ...words]));
};

const completeInFish = async (world: World, words: readonly string[]) => {
  const script = 'nono completion fish | source; complete -C "$argv[1]"';
  const outcome = await runProgram(world, ['fish', '--no-config', '-c', script, ['nono', ...words].join(' ')]);
  return lines(outcome).map((line) => line.split('\t')[0] ?? '');
};

/** Through zsh's own machinery: a real line editor in a pseudo-terminal, whose matches are written down. */
const completeInZsh: Complete = async (world, calls) => {
  const script = [
    'zmodload zsh/zpty; zpty editor zsh -f -i; zpty -w editor "PS1=READY; autoload -Uz compinit; compinit -u -D"',
    'zpty -w editor \'eval "$(nono completion zsh)"; LISTMAX=0; unset zle_bracketed_paste\'',
    // Instead of showing matches it prints them, in a form of its own.
    `zpty -w editor 'compadd () { local -a found; builtin compadd -O found "$@"; local m; for m in $found; do print -r -- "<match:$m>" >> matches.txt; done; builtin compadd "$@" }'`,
    `zpty -w editor 'finish () { zle complete-word 2>/dev/null; BUFFER=; print done > finished.txt; }; zle -N finish; bindkey "^I" finish'`,
    'for line in "$@"; do',
    '  zpty -n -w editor "$line"$\'\\t\'',
    '  while [[ ! -s finished.txt ]]; do zpty -r -t editor x || sleep 0.02; done',
    '  print -r -- "<line>"; cat matches.txt 2>/dev/null; rm -f matches.txt finished.txt',
    'done; zpty -d editor',
  ].join('\n');
  const outcome = await runProgram(world, [
    'zsh',
    '-f',
    '-c',
    script,
    'zsh',
    ...calls.map((words) => ['nono', ...words].join(' ')),
  ]);
  expect({ status: outcome.status, stderr: outcome.stderr }).toEqual({ status: 0, stderr: '' });
  // Zsh asks for the same matches more than once.
  const matches = (part: string) => new Set(part.split('\n').flatMap((line) => /^<match:(.*)>$/.exec(line)?.[1] ?? []));
  return outcome.stdout
    .split('<line>\n')
    .slice(1)
    .map((part) => [...matches(part)]);
};

/** One call after the other. */
const each =
  (complete: (world: World, words: readonly string[]) => Promise<string[]>): Complete =>
  async (world, calls) => {
    const answers: string[][] = [];
    for (const words of calls) answers.push(await complete(world, words));
    return answers;
  };

function lines({ stdout, stderr, status }: { stdout: string; stderr: string; status: number | null }): string[] {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('nono completion', () => {
  test.for([
    { shell: 'bash', complete: each(completeInBash) },
    { shell: 'zsh', complete: completeInZsh },
    { shell: 'fish', complete: each(completeInFish) },
  ])('completes verbs, options, sessions, snapshots, profiles and paths in $shell', async ({ shell, complete }, context) => {
    needCommands(context, shell);
    await using furnished = await createFurnishedWorld();
    const { world, id, rollbackId } = furnished;

    const [verb, undo, option, name, ids, rollback, profile, directory] = await complete(world, [
      ['att'],
      ['rollback', 'res'],
      ['run', '--allow-f'],
      ['attach', 'w'],
      ['stop', ''],
      ['rollback', 'show', rollbackId.slice(0, 4)],
      ['run', '--profile', 'claude'],
      ['run', '--allow', 's'],
    ]);
    expect({ verb, undo, option, name }).toEqual({
      verb: ['attach'],
      undo: ['restore'],
      option: ['--allow-file'],
      name: ['work-node'],
    });
    expect(ids).toEqual(expect.arrayContaining([id, 'work-node']));
    expect({ rollback, profile }).toEqual({ rollback: [rollbackId], profile: ['claude-code'] });
    expect(directory?.map((path) => path.replace(/\/$/, ''))).toEqual(['src']);
  });

  test.for(['bash', 'zsh', 'fish'])(
    'completes what is typed in a terminal with %s, and the command after the dashes',
    async (shell, context) => {
      needCommands(context, 'tmux', shell);
      await using furnished = await createFurnishedWorld();
      const { world } = furnished;
      const starts: Readonly<Record<string, readonly [command: string[], setUp: string]>> = {
        bash: [['bash', '--norc', '--noprofile', '-i'], 'eval "$(nono completion bash)"; PS1="> "'],
        zsh: [['zsh', '-f', '-i'], 'autoload -Uz compinit; compinit -u -D; eval "$(nono completion zsh)"; PS1="> "'],
        fish: [['fish', '--no-config'], 'nono completion fish | source; function fish_prompt; echo "> "; end'],
      };
      const [command, setUp] = starts[shell] ?? [[], ''];
      await using terminal = await openTerminal(world, { command });
      await terminal.type(setUp);
      await terminal.press('Enter');
      await terminal.waitFor(/^> *$/m);
      await terminal.type('nono atta');
      await terminal.press('Tab');
      await terminal.waitFor(/^> nono attach/m);
      await terminal.type('wor');
      await terminal.press('Tab');
      await terminal.waitFor(/^> nono attach work-node/m);
      await terminal.press('C-c');
      // What is typed before the shell reads again is lost.
      await terminal.waitFor(/work-node[^\n]*\n+>$/);
      await terminal.type('nono run --allow-cwd -- mktem');
      await terminal.press('Tab');
      await terminal.waitFor(/^> nono run --allow-cwd -- mktemp/m);
    },
  );

  test('refuses another shell and names the nearest', async () => {
    using world = createWorld();

    const { status, stderr } = await runNono(world, ['completion', 'bsh']);

    expect(stderr).toContain('Did you mean `nono completion bash`?');
    expect(status).toBe(2);
  });

  test('never puts an escape sequence of a planted record before the shell, nor complains about one that is damaged', async () => {
    await using furnished = await createFurnishedWorld();
    const { world, id } = furnished;
    const at = (name: string) => join(world.state, 'sessions', `${name}.json`);
    const record = JSON.parse(readFileSync(at(id), 'utf8')) as Record<string, unknown>;
    const planted = {
      ...record,
      session_id: 'eeeeee',
      status: 'exited',
      ended: record['started'],
      exit_code: 0,
      command: ['\u001b[31mred\t\n\u009b0m'],
    };
    writeFileSync(at('eeeeee'), JSON.stringify(planted), { mode: 0o600 });
    writeFileSync(at('ffffff'), '{"name": "\\u001b[31m', { mode: 0o600 });

    const { status, stdout, stderr } = await runNono(world, ['__complete', 'inspect', '']);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`${id}\t`);
    expect(stdout).toMatch(/^eeeeee\t.*\?\[31mred\?\?\?0m$/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(stdout).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  });

  test('answers with one process', async (context) => {
    needCommands(context, 'strace');
    await using furnished = await createFurnishedWorld();
    const { world } = furnished;

    const traced = ['strace', '-f', '-qq', '-e', 'trace=execve', 'nono', '__complete', 'rollback', 'show', ''];
    const { stderr } = await runProgram(world, traced as [string, ...string[]]);

    expect(stderr.match(/execve\([^\n]*= 0/g)).toHaveLength(1);
  });
});
