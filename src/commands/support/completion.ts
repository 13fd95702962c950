import { displayBytes } from '../../bytes.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { COMPLETION_SCRIPTS } from '../../ui/completion-scripts.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';

/** @throws {UsageError} for a shell that there is no script for. */
export async function execute({ positionals: [wanted] }: ParsedCall): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for a shell');
  const output = COMPLETION_SCRIPTS.get(wanted);
  if (output !== undefined) return { output, exitCode: EXIT.ok };
  const shells = [...COMPLETION_SCRIPTS.keys()];
  const guess = nearest(wanted, shells);
  throw new UsageError(`Cannot complete for "${displayBytes(wanted)}": expected ${shells.join(', ')}`, {
    hint: guess === undefined ? 'See `nono completion --help`' : `Did you mean \`nono completion ${guess}\`?`,
  });
}
