import type { Bytes } from '../bytes.ts';
import { configPath, mayBeThere } from '../config/config-path.ts';
import type { Config } from '../config/schema.ts';
import type { CaptureLimits } from '../rollback/capture-input.ts';
import { DEFAULT_LIMITS, DEFAULT_RETENTION } from '../rollback/default-limits.ts';
import type { RetentionLimits } from '../rollback/retention.ts';
import type { Context } from './context.ts';

/** As the schema has it, which is not loaded without a configuration. */
const DEFAULT_SCROLLBACK_LINES = 10_000;
const GIGABYTE = 1_000_000_000;

/**
 * The user's configuration, undefined when there is none: then its reader is not even loaded.
 *
 * @throws {ConfigError} with file and line.
 */
export async function loadUserConfig(
  context: Pick<Context, 'files' | 'environment' | 'homeDirectory'>,
): Promise<Config | undefined> {
  const path: Bytes = configPath(context.environment, context.homeDirectory);
  if (!mayBeThere(context.files, path)) return undefined;
  const { readConfig } = await import('../config/config.ts');
  return readConfig(context.files, path);
}

export function retentionLimits(config: Config | undefined): RetentionLimits {
  if (config === undefined) return DEFAULT_RETENTION;
  return { maxSessions: config.rollback.max_sessions, maxBytes: config.rollback.max_storage_gb * GIGABYTE };
}

export function captureLimits(config: Config | undefined): CaptureLimits {
  return {
    maxFileBytes: config?.rollback.max_file_size ?? DEFAULT_LIMITS.maxFileBytes,
    maxSessionBytes: config?.rollback.max_session_size ?? DEFAULT_LIMITS.maxSessionBytes,
    maxEntries: config?.rollback.max_entries ?? DEFAULT_LIMITS.maxEntries,
  };
}

export function scrollbackLines(config: Config | undefined): number {
  return config?.history.scrollback_lines ?? DEFAULT_SCROLLBACK_LINES;
}
