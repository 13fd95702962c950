/** Profiles of coding agents: their own state, and the caches of the tools that they call. */
export const AGENT_PROFILES: readonly (readonly [name: string, text: string])[] = [
  [
    'claude-code',
    `description = "Anthropic's Claude Code"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = ["~/.claude"]
allow_file = ["~/.claude.json"]

[environment]
allow_vars = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]
`,
  ],
  [
    'codex',
    `description = "OpenAI's Codex"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = ["\${CODEX_HOME:-~/.codex}"]

[environment]
allow_vars = ["OPENAI_API_KEY", "CODEX_API_KEY"]
`,
  ],
  [
    'opencode',
    `description = "SST's opencode, with the keys of the providers that it knows"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = [
  "\${XDG_CONFIG_HOME:-~/.config}/opencode",
  "\${XDG_DATA_HOME:-~/.local/share}/opencode",
  "\${XDG_STATE_HOME:-~/.local/state}/opencode",
  "\${XDG_CACHE_HOME:-~/.cache}/opencode",
]

[environment]
allow_vars = [
  "ANTHROPIC_API_KEY",
  "OPENAI_API_KEY",
  "GEMINI_API_KEY",
  "OPENROUTER_API_KEY",
  "OPENCODE_API_KEY",
]
`,
  ],
  [
    'gemini',
    `description = "Google's Gemini CLI"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = ["~/.gemini"]

[environment]
allow_vars = ["GEMINI_API_KEY", "GOOGLE_API_KEY"]
`,
  ],
];
