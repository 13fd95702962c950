import type { Bytes } from './bytes.ts';
import type { Context } from './commands/context.ts';
import { runCommands } from './commands/run-options.ts';
import type { CommandResult, CommandSpec, ParsedCall } from './commands/spec.ts';
import { UnknownWordError } from './errors.ts';
import { parseCall } from './parse.ts';

/**
 * Finds the verb in `words` (argv without the executable), parses its options and runs it. A run waits for no table of
 * verbs but its own.
 *
 * @throws {UsageError} for words that mean nothing, and whatever the verb throws.
 */
export async function runCli(words: readonly Bytes[], context: () => Context, version: string): Promise<CommandResult> {
  const run = parseRun(words);
  if (run === undefined) return await (await import('./cli-verbs.ts')).runVerb(words, context, version);
  const { execute } = await run.spec.load();
  return await execute(run.call, context());
}

/** @returns undefined for another verb, for its help, and for words that it does not know. */
function parseRun(words: readonly Bytes[]): { readonly spec: CommandSpec; readonly call: ParsedCall } | undefined {
  const [first] = words;
  const spec = runCommands.find(({ name }) => name === first);
  if (spec === undefined) return undefined;
  try {
    const call = parseCall(spec, words.slice(1));
    return call.flags.has('help') ? undefined : { spec, call };
  } catch (error) {
    if (error instanceof UnknownWordError) return undefined;
    throw error;
  }
}
