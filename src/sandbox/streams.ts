import type { Bytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import type { OpenStream, PathFacts } from '../ports/path-facts.ts';
import { resolveQuietly } from './look-up.ts';
import { DEVICE, type PathRule } from './plan.ts';
import { findOverlap, type SensitivePlace } from './sensitive.ts';

/** What most streams are that are no terminal. */
const NULL_DEVICE = '/dev/null' as Bytes;
const TERMINAL_REGEXP = /^\/dev\/(?:pts\/\d+|tty[A-Za-z]*\d+|console|hvc\d+)$/;

/**
 * Rules for what the three inherited streams are: a terminal, which programs open again by its name, or a
 * file, which they open as /dev/stdout or /dev/stdin. A file gives only the access that the open stream
 * has already.
 */
export function streamRules(facts: PathFacts, places: readonly SensitivePlace[]): readonly PathRule[] {
  return collect(facts.streams(), (stream) => streamRule(facts, stream, places));
}

function streamRule(
  facts: PathFacts,
  { path, canRead, canWrite }: OpenStream,
  places: readonly SensitivePlace[],
): readonly PathRule[] {
  const found = resolveQuietly(facts, path);
  // Deleted or replaced: a name that leads elsewhere now says nothing about the stream.
  if (found === undefined || found.path !== path) return [];
  if (found.kind === 'characterDevice')
    return isTerminal(path) ? [{ path, isDirectory: false, access: DEVICE, origin: 'stream' }] : [];
  const access = { read: canRead, write: canWrite, control: false };
  if (found.kind !== 'file' || findOverlap(path, access, places) !== undefined) return [];
  return [{ path, isDirectory: false, access, origin: 'stream' }];
}

function isTerminal(path: Bytes): boolean {
  return path !== NULL_DEVICE && TERMINAL_REGEXP.test(path);
}
