import type { Bytes } from './bytes.ts';
import type { Context } from './commands/context.ts';
import { runCommands } from './commands/run-options.ts';
import type { CommandResult, CommandSpec, ParsedCall } from './commands/spec.ts';
import { UnknownWordError } from './errors.ts';
import { parseCall } from './parse.ts';

/**
 * Finds the verb in `words` (argv without the executable), parses its options and runs it. A run, and who attaches, wait for no
 * table of verbs but their own.
 *
 * @throws {UsageError} for words that mean nothing, and whatever the verb throws.
 */
export async function runCli(words: readonly Bytes[], context: () => Context, version: string): Promise<CommandResult> {
  const isAttach = words[0] === 'attach';
  const quick = parseQuick(isAttach ? [(await import('./commands/attach-options.ts')).attachCommand] : runCommands, words);
  if (quick === undefined) return await (await import('./cli-verbs.ts')).runVerb(words, context, version);
  const { execute } = await quick.spec.load();
  return await execute(quick.call, context());
}

/** @returns undefined for another verb, for its help, and for words that it does not know. */
function parseQuick(
  specs: readonly CommandSpec[],
  words: readonly Bytes[],
): { readonly spec: CommandSpec; readonly call: ParsedCall } | undefined {
  const [first] = words;
  const spec = specs.find(({ name }) => name === first);
  if (spec === undefined) return undefined;
  try {
    const call = parseCall(spec, words.slice(1));
    return call.flags.has('help') ? undefined : { spec, call };
  } catch (error) {
    if (error instanceof UnknownWordError) return undefined;
    throw error;
  }
}
