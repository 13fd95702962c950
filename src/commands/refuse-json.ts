import { UsageError } from '../errors.ts';
import type { ParsedCall } from './spec.ts';

/** What a command prints is its own: there is no document of a run. @throws {UsageError} */
export function refuseJson({ flags }: ParsedCall): void {
  if (flags.has('json'))
    throw new UsageError('Cannot use --json without --dry-run', { hint: 'See `nono inspect --json` for a session' });
}
