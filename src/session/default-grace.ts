/** What a tree gets between SIGTERM and SIGKILL when nobody says anything else. */
export const DEFAULT_GRACE_MS = 10_000;
