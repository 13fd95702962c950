import { configPath, readConfig } from '../../config/config.ts';
import type { Config } from '../../config/schema.ts';
import type { CaptureLimits } from '../../rollback/capture.ts';
import type { RetentionLimits } from '../../rollback/retention.ts';
import { DEFAULT_LIMITS } from '../../rollback/run.ts';
import type { Context } from '../context.ts';

const GIGABYTE = 1_000_000_000;

/** The user's configuration. @throws {ConfigError} with file and line. */
export function loadUserConfig({
  files,
  environment,
  homeDirectory,
}: Pick<Context, 'files' | 'environment' | 'homeDirectory'>): Config {
  return readConfig(files, configPath(environment, homeDirectory));
}

export function retentionLimits({ rollback }: Config): RetentionLimits {
  return { maxSessions: rollback.max_sessions, maxBytes: rollback.max_storage_gb * GIGABYTE };
}

export function captureLimits({ rollback }: Config): CaptureLimits {
  return {
    maxFileBytes: rollback.max_file_size ?? DEFAULT_LIMITS.maxFileBytes,
    maxSessionBytes: rollback.max_session_size ?? DEFAULT_LIMITS.maxSessionBytes,
    maxEntries: rollback.max_entries ?? DEFAULT_LIMITS.maxEntries,
  };
}
