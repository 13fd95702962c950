import { type Bytes, displayBytes } from './bytes.ts';
import type { Context } from './commands/context.ts';
import { commands } from './commands/index.ts';
import type { CommandResult, CommandSpec, ParsedCall } from './commands/spec.ts';
import { EXIT, UnknownWordError, UsageError } from './errors.ts';
import { commandHelp, generalHelp, groupHelp } from './help.ts';
import { nearest } from './nearest.ts';
import { parseCall } from './parse.ts';

/** Asked by the shells' completions (ui/completion-scripts.ts); no verb of its own, since nobody types it. */
const COMPLETE = '__complete';

/** Any verb, help and completions. @see runCli() */
export async function runVerb(words: readonly Bytes[], context: () => Context, version: string): Promise<CommandResult> {
  try {
    return await runWords(silentLast(words), context, version);
  } catch (error) {
    throw error instanceof UnknownWordError ? await explain(error) : error;
  }
}

/** `nono -s run …`, as the nono in Rust takes it: the same as `nono run --silent …`. */
function silentLast(words: readonly Bytes[]): readonly Bytes[] {
  const [first, second = '' as Bytes] = words;
  if (first !== '-s' && first !== '--silent') return words;
  const isKnown = commands.some(({ name, options }) => name === second && options.some((option) => option.name === 'silent'));
  return isKnown ? [second, '--silent' as Bytes, ...words.slice(2)] : words.slice(1);
}

/** What a word of another tool is called here: known only to a table that is loaded when somebody uses one. */
async function explain(error: UnknownWordError): Promise<UsageError> {
  const { insteadOfOption, insteadOfVerb } = await import('./other-words.ts');
  const hint = error.kind === 'option' ? insteadOfOption(error.word) : insteadOfVerb(error.word);
  return hint === undefined ? error : new UsageError(error.message, { hint });
}

async function runWords(words: readonly Bytes[], context: () => Context, version: string): Promise<CommandResult> {
  const [first] = words;
  if (first === undefined) return (await import('./commands/support/overview.ts')).overview(context());
  if (first === COMPLETE) return (await import('./commands/support/complete.ts')).complete(words.slice(1), context());
  if (isHelpOption(first)) return page(generalHelp(version));
  const group = findGroup(first);
  if (group !== undefined && !isCommand(group) && isHelpOption(words[1])) return page(groupHelp(group));
  const { spec, rest } = findCommand(words);
  const call = parseCall(spec, rest);
  if (call.flags.has('help')) return page(commandHelp(spec));
  // It needs nothing of the machine, so it works where nothing else does.
  if (spec.name === 'help') return await help(call, version);
  const { execute } = await spec.load();
  return await execute(call, context());
}

function isHelpOption(word: string | undefined): boolean {
  return word === '--help' || word === '-h';
}

async function help({ flags, positionals }: ParsedCall, version: string): Promise<CommandResult> {
  if (flags.has('man')) return page((await import('./man.ts')).manualPage(version));
  const [first] = positionals;
  if (first === undefined) return page(generalHelp(version));
  const group = findGroup(first);
  return page(
    group !== undefined && positionals.length === 1 && !isCommand(group)
      ? groupHelp(group)
      : commandHelp(findCommand(positionals).spec),
  );
}

function page(output: string): CommandResult {
  return { output, exitCode: EXIT.ok };
}

/** The name of a family of verbs such as rollback; `undo` is its older name. */
function findGroup(word: string | undefined): string | undefined {
  const name = word === 'undo' ? 'rollback' : word;
  return name !== undefined && commands.some((spec) => spec.name.startsWith(`${name} `)) ? name : undefined;
}

/** A family of verbs can be a verb too: `approvals` lists. */
function isCommand(name: string): boolean {
  return commands.some((spec) => spec.name === name);
}

function groups(): readonly string[] {
  return [...new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : [])))];
}

function findCommand(words: readonly Bytes[]): { readonly spec: CommandSpec; readonly rest: readonly Bytes[] } {
  const [first = '', second] = words;
  const isAlone = second === undefined || second.startsWith('-');
  const group = isAlone && isCommand(first) ? undefined : findGroup(first);
  const name = group === undefined ? first : `${group} ${second ?? ''}`;
  const spec = commands.find((command) => command.name === name);
  if (spec !== undefined) return { spec, rest: words.slice(group === undefined ? 1 : 2) };
  if (group !== undefined && (second === undefined || second.startsWith('-'))) {
    throw new UsageError(`Cannot run "nono ${group}": it needs a verb`, { hint: `See \`nono ${group} --help\`` });
  }
  const candidates = commands.map((command) => command.name).filter((other) => other.includes(' ') === (group !== undefined));
  const guess = nearest(name, group === undefined ? [...candidates, ...groups()] : candidates);
  const hint =
    guess === undefined ? `See \`nono ${group === undefined ? 'help' : `${group} --help`}\`` : `Did you mean \`nono ${guess}\`?`;
  throw new UnknownWordError('verb', name, `Cannot run "nono ${displayBytes(name as Bytes)}": there is no such command`, hint);
}
