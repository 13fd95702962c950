import { AGENT_PROFILES } from './built-in-agents.ts';
import { TOOL_PROFILES } from './built-in-tools.ts';

/** The profiles that come with nono, as their files would be. */
export const BUILT_IN_PROFILES: ReadonlyMap<string, string> = new Map([...TOOL_PROFILES, ...AGENT_PROFILES]);
