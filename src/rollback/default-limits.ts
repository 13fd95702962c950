import type { CaptureLimits } from './capture-input.ts';
import type { RetentionLimits } from './retention.ts';

/** What a session stores when the configuration says nothing: enough for every project, not for a runaway. */
export const DEFAULT_LIMITS: CaptureLimits = { maxFileBytes: 10e9, maxSessionBytes: 50e9, maxEntries: 2_000_000 };

/** How much all sessions may take together when the configuration says nothing. */
export const DEFAULT_RETENTION: RetentionLimits = { maxSessions: 10, maxBytes: 5e9 };
