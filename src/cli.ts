import { type Bytes, displayBytes } from './bytes.ts';
import type { Context } from './commands/context.ts';
import { commands } from './commands/index.ts';
import type { CommandResult, CommandSpec } from './commands/spec.ts';
import { EXIT, UsageError } from './errors.ts';
import { commandHelp, generalHelp, groupHelp } from './help.ts';
import { nearest } from './nearest.ts';
import { parseCall } from './parse.ts';

/**
 * Finds the verb in `words` (argv without the executable), parses its options and runs it.
 *
 * @throws {UsageError} for words that mean nothing, and whatever the verb throws.
 */
export async function runCli(words: readonly Bytes[], context: () => Context, version: string): Promise<CommandResult> {
  const [first] = words;
  if (first === undefined || first === 'help' || isHelpOption(first)) return help(words.slice(1), version);
  if (findGroup(first) !== undefined && isHelpOption(words[1])) return help([first], version);
  const { spec, rest } = findCommand(words);
  const call = parseCall(spec, rest);
  if (call.flags.has('help')) return { output: commandHelp(spec), exitCode: EXIT.ok };
  const { execute } = await spec.load();
  return execute(call, context());
}

function isHelpOption(word: string | undefined): boolean {
  return word === '--help' || word === '-h';
}

function help(words: readonly Bytes[], version: string): CommandResult {
  if (words.length === 0) return { output: generalHelp(version), exitCode: EXIT.ok };
  const group = findGroup(words[0]);
  const isWhole = group !== undefined && words.length === 1;
  return { output: isWhole ? groupHelp(group) : commandHelp(findCommand(words).spec), exitCode: EXIT.ok };
}

/** The name of a family of verbs such as rollback; `undo` is its older name. */
function findGroup(word: string | undefined): string | undefined {
  const name = word === 'undo' ? 'rollback' : word;
  return name !== undefined && commands.some((spec) => spec.name.startsWith(`${name} `)) ? name : undefined;
}

function groups(): readonly string[] {
  return [...new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : [])))];
}

function findCommand(words: readonly Bytes[]): { readonly spec: CommandSpec; readonly rest: readonly Bytes[] } {
  const [first = '', second] = words;
  const group = findGroup(first);
  const name = group === undefined ? first : `${group} ${second ?? ''}`;
  const spec = commands.find((command) => command.name === name);
  if (spec !== undefined) return { spec, rest: words.slice(group === undefined ? 1 : 2) };
  if (group !== undefined && (second === undefined || second.startsWith('-'))) {
    throw new UsageError(`Cannot run "nono ${group}": it needs a verb`, { hint: `See \`nono ${group} --help\`` });
  }
  const candidates = commands.map((command) => command.name).filter((other) => other.includes(' ') === (group !== undefined));
  const guess = nearest(name, group === undefined ? [...candidates, ...groups()] : candidates);
  throw new UsageError(`Cannot run "nono ${displayBytes(name as Bytes)}": there is no such command`, {
    hint:
      guess === undefined
        ? `See \`nono ${group === undefined ? 'help' : `${group} --help`}\``
        : `Did you mean \`nono ${guess}\`?`,
  });
}
