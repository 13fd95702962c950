/** The profiles that come with nono, as their files would be. */
export const BUILT_IN_PROFILES: ReadonlyMap<string, string> = new Map([
  [
    'default',
    `# What a run without --profile has: system paths, git's configuration and the toolchains on PATH, to read; nothing else.
description = "Nothing but what the command line shares"

[workdir]
access = "none"
`,
  ],
]);
