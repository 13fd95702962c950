import { type Bytes, displayBytes, isUtf8, textFromBytes } from '../bytes.ts';
import type { Config } from '../config/schema.ts';
import { UsageError } from '../errors.ts';
import type { ParsedCall } from './spec.ts';

/** As the schema of the configuration has it, which is not loaded without one. */
const DEFAULT_SECONDS = 300;
const SECONDS_MAXIMUM = 604_800;

/** How long a question waits before it is denied. @throws {UsageError} */
export function askTimeoutMs({ values }: ParsedCall, config: Config | undefined): number {
  const given = values.get('ask-timeout')?.[0];
  if (given === undefined) return (config?.approvals.timeout ?? DEFAULT_SECONDS) * 1000;
  const seconds = /^[0-9]{1,6}$/.test(given) ? Number(given) : 0;
  if (seconds >= 1 && seconds <= SECONDS_MAXIMUM) return seconds * 1000;
  throw new UsageError(
    `Cannot wait "${displayBytes(given)}" for an answer: --ask-timeout takes seconds from 1 to ${SECONDS_MAXIMUM}`,
  );
}

/** What of the environment is text, for a program of the user's own. */
export function textEnvironment(environment: ReadonlyMap<Bytes, Bytes>): Readonly<Record<string, string>> {
  const entries = [...environment].filter(([name, value]) => isUtf8(name) && isUtf8(value));
  return Object.fromEntries(entries.map(([name, value]) => [textFromBytes(name), textFromBytes(value)]));
}
