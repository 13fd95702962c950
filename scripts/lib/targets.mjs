/**
 * The platforms that nono is released for.
 *
 * `name` is what stands after `nono-` in the names of files. `runtime` is the npm package that holds Bun for it, and `integrity` the
 * checksum of that package, as in a lock file: what comes from a registry or a cache is compared with it.
 * `filter` is xz's for that machine language: x64 would miss its promised size without it. The one for arm64 is left out, because
 * xz before 5.4 cannot read it.
 */
export const TARGETS = [
  {
    name: 'linux-x64',
    runtime: '@oven/bun-linux-x64',
    integrity: 'sha512-CHbbkmHVM28T1GFq+6GL4Ao4ujwwYwj1CxFFwEFzLanPfNsId9AhbIP0Q4reWuWBkGimUkoQygrK7Rgjtj3vog==',
    filter: ['--x86'],
  },
  {
    name: 'linux-x64-baseline',
    runtime: '@oven/bun-linux-x64-baseline',
    integrity: 'sha512-FBU6T21NT+i+rESbi0Z8A8G5xN51c+WZ0v6pIjI6szSzOlqVNv64nf7FPnwNIyxKD1M7Wg5cEobLC/QbzCeLtA==',
    filter: ['--x86'],
  },
  {
    name: 'linux-x64-musl',
    runtime: '@oven/bun-linux-x64-musl',
    integrity: 'sha512-lEEjNOJJrbGZu2NVcPI4uXdILcpspezWkA8R/Jr0RCGhM6zQd0Y7JBIIKNAmbX59EeWpeEz7Q78iLbpcAUypUA==',
    filter: ['--x86'],
  },
  {
    name: 'linux-x64-musl-baseline',
    runtime: '@oven/bun-linux-x64-musl-baseline',
    integrity: 'sha512-hlAPq5jIndGITsca7kUL/jB53hPSq5wEOEHSe36Z7GnUAiCTJn3aS5JBzmYXO1lLK7gt1vRxUF2Bk6WhelIfxw==',
    filter: ['--x86'],
  },
  {
    name: 'linux-arm64',
    runtime: '@oven/bun-linux-aarch64',
    integrity: 'sha512-ZTVtpf9zmHSBVPX1sBwe5agGb/rN34yPGg/Hby8e2Ax2uCUA2URZKlZH7qLntK7qaFJCMXh9v0GWNYN2zINz1w==',
    filter: [],
  },
  {
    name: 'linux-arm64-musl',
    runtime: '@oven/bun-linux-aarch64-musl',
    integrity: 'sha512-QFd0P+mHJxbZFbUla4MgiE5OwxysHaUIYxL2pPNkpWtaI7v4ShOpr8OhBmsuyB0xn5rv/ZJnPsj2y8+bB9+g/A==',
    filter: [],
  },
  {
    name: 'darwin-x64',
    runtime: '@oven/bun-darwin-x64',
    integrity: 'sha512-oKGcxLsvh4oHjAo28nPm8c/xN0o/OmGyj1IHYc94vprkWsW2hNg2keEZt5f40cI5Hvu4jDlSRTR0UNpv1UIAxw==',
    filter: [],
  },
  {
    name: 'darwin-arm64',
    runtime: '@oven/bun-darwin-aarch64',
    integrity: 'sha512-zW/hxwc8sJAILGwB5eTC4i48ouGXf0V4lrxmEOk3JIE6JkYVW1TZh1E2pIempqsezgW1sckTIIDudFON8bJ2Mw==',
    filter: [],
  },
];
