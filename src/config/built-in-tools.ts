/** Profiles of development tools: their caches, and nothing that runs later by itself. */
export const TOOL_PROFILES: readonly (readonly [name: string, text: string])[] = [
  [
    'default',
    `# What a run without --profile has: system paths, git's configuration and the toolchains on PATH, to read; nothing else.
description = "Nothing but what the command line shares"

[workdir]
access = "none"
`,
  ],
  [
    'node-dev',
    `# Seen as an ordinary user with an empty home: npm 11 install, ci and test, npx, pnpm 9 install. ~/.npmrc stays closed: it has tokens.
# Caches are shared with what you run outside: what the command puts there is used there too.
description = "Node projects: npm, pnpm, yarn, with their caches"

[workdir]
access = "readwrite"

[filesystem]
create = [
  "\${npm_config_cache:-~/.npm}",
  "\${XDG_CACHE_HOME:-~/.cache}/node",
  "\${XDG_CACHE_HOME:-~/.cache}/node-gyp",
  "\${XDG_CACHE_HOME:-~/.cache}/pnpm",
  "\${XDG_CACHE_HOME:-~/.cache}/yarn",
]
allow = [
  "\${XDG_DATA_HOME:-~/.local/share}/pnpm/store",
  "\${XDG_STATE_HOME:-~/.local/state}/pnpm",
  "~/.yarn/berry",
]
# Where a company's certificates are.
read_file = ["\${NODE_EXTRA_CA_CERTS:-/etc/ssl/cert.pem}", "\${SSL_CERT_FILE:-/etc/ssl/cert.pem}"]
`,
  ],
  [
    'python-dev',
    `# Seen as an ordinary user with an empty home: venv, pip install, pytest with multiprocessing (Python 3.11).
# Caches are shared with what you run outside: what the command puts there is used there too.
description = "Python projects: venv, pip, uv, poetry, with their caches"

[workdir]
access = "readwrite"

[filesystem]
create = [
  "\${XDG_CACHE_HOME:-~/.cache}/pip",
  "\${XDG_CACHE_HOME:-~/.cache}/uv",
]
allow = [
  # Semaphores and queues of multiprocessing.
  "/dev/shm",
  "\${PIP_CACHE_DIR:-~/.cache/pip}",
  "\${UV_CACHE_DIR:-~/.cache/uv}",
  "\${XDG_CACHE_HOME:-~/.cache}/pypoetry",
  "\${XDG_CACHE_HOME:-~/.cache}/pre-commit",
]
# Packages installed with pip --user, and the interpreters of uv.
read = ["~/.local/lib", "\${XDG_DATA_HOME:-~/.local/share}/uv"]
# Where a company's certificates are.
read_file = [
  "\${SSL_CERT_FILE:-/etc/ssl/cert.pem}",
  "\${REQUESTS_CA_BUNDLE:-/etc/ssl/cert.pem}",
  "\${PIP_CERT:-/etc/ssl/cert.pem}",
]
`,
  ],
  [
    'rust-dev',
    `# Seen as an ordinary user with rustup's toolchain: cargo build, run, clippy and info with a dependency, also where
# ~/.cargo/credentials.toml is, which stays closed. Nothing can be installed into ~/.cargo/bin.
# Caches are shared with what you run outside: what the command puts there is used there too.
description = "Rust projects: cargo, with its registry and git checkouts"

[workdir]
access = "readwrite"

[filesystem]
create = ["\${CARGO_HOME:-~/.cargo}/registry", "\${CARGO_HOME:-~/.cargo}/git"]
read_file = ["\${SSL_CERT_FILE:-/etc/ssl/cert.pem}", "\${CARGO_HTTP_CAINFO:-/etc/ssl/cert.pem}"]
`,
  ],
  [
    'go-dev',
    `# Seen as an ordinary user with an empty home: go mod tidy, build and vet with dependencies (Go 1.26).
# Caches are shared with what you run outside: what the command puts there is used there too.
description = "Go projects, with the module and build caches"

[workdir]
access = "readwrite"

[filesystem]
create = ["\${GOPATH:-~/go}/pkg", "\${GOCACHE:-~/.cache/go-build}", "\${XDG_CACHE_HOME:-~/.cache}/go-build"]
read = ["\${XDG_CONFIG_HOME:-~/.config}/go"]
read_file = ["\${SSL_CERT_FILE:-/etc/ssl/cert.pem}"]
`,
  ],
];
