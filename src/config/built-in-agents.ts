/** Profiles of coding agents: their own state, and the caches of the tools that they call. */
export const AGENT_PROFILES: readonly (readonly [name: string, text: string])[] = [
  [
    'claude-code',
    `# Seen with 2.1.197 against a stand-in for its API, as an ordinary user, on a terminal: it starts, keeps its log-in state and the
# trust in a directory over a restart, runs shell commands and edits files; ~/.ssh stays closed to all of that.
# It replaces ~/.claude.json by another file. In the sandbox it cannot, says so in its debug log, and writes into the file itself:
# nothing is lost. Where there is no such file nono makes one, which it then fills.
# Its first start ever asks its servers whether they can be reached; that needs the network.
description = "Anthropic's Claude Code, with the caches of npm, pip, cargo and Go"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = ["~/.claude"]
create_file = { "~/.claude.json" = "{}" }

[environment]
allow_vars = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]
`,
  ],
  [
    'codex',
    `# Seen with 0.169.0 against a stand-in for its API, as an ordinary user, on a terminal: it starts, stores a key with \`codex login\`, runs shell
# commands, edits files, and goes on with the conversation after a restart (\`resume --last\`); ~/.ssh stays closed to all of that.
# Its own sandbox, which wants namespaces, cannot be nested, and its background server does not start here: begin with
#   nono run --profile codex -- codex --no-daemon --sandbox danger-full-access
# nono is the sandbox then.
description = "OpenAI's Codex; begin it with: codex --no-daemon --sandbox danger-full-access"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = ["\${CODEX_HOME:-~/.codex}"]

[environment]
allow_vars = ["OPENAI_API_KEY", "CODEX_API_KEY"]
`,
  ],
  [
    'opencode',
    `# Seen with 1.18.33 against a stand-in for its API, as an ordinary user, on a terminal: it starts, runs shell commands, edits files, and goes on
# with the conversation after a restart (\`-c\`); ~/.ssh stays closed to all of that. It asks a server of its own for its list of models: where that
# cannot be reached its start takes half a minute.
description = "The agent opencode, with the caches of npm, pip, cargo and Go"
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
    `# Seen with 0.61.0 against a stand-in for its API, as an ordinary user, on a terminal: it starts, keeps the trust in a directory, runs shell commands,
# edits files, and goes on with the conversation after a restart (\`--resume latest\`); ~/.ssh stays closed to all of that.
# It asks for the way to log in unless ~/.gemini/settings.json has one.
description = "Google's Gemini CLI, with the caches of npm, pip, cargo and Go"
extends = ["node-dev", "python-dev", "rust-dev", "go-dev"]

[filesystem]
create = ["~/.gemini"]

[environment]
allow_vars = ["GEMINI_API_KEY", "GOOGLE_API_KEY"]
`,
  ],
];
