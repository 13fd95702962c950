import { spawnSync } from 'node:child_process';

/** What the end-to-end suites drive or compare with, and the Debian package that has it. */
const TOOLS = [
  { command: 'git', debianPackage: 'git' },
  { command: 'tmux', debianPackage: 'tmux' },
  { command: 'strace', debianPackage: 'strace' },
  { command: 'bwrap', debianPackage: 'bubblewrap' },
  { command: 'busybox', debianPackage: 'busybox-static' },
  { command: 'dash', debianPackage: 'dash' },
  { command: 'zsh', debianPackage: 'zsh' },
  { command: 'fish', debianPackage: 'fish' },
  { command: 'shellcheck', debianPackage: 'shellcheck' },
  { command: 'ruby', debianPackage: 'ruby' },
  { command: 'mandoc', debianPackage: 'mandoc' },
  { command: 'mergerfs', debianPackage: 'mergerfs' },
];

/**
 * Installs what is missing where that needs no question: as root, with apt-get.
 *
 * @returns a line for each thing that was done or could not be; a test whose tool is missing says itself why it skips.
 */
export function installTools() {
  const missing = TOOLS.filter(({ command }) => !hasCommand(command));
  if (missing.length === 0) return [];
  const names = missing.map(({ debianPackage }) => debianPackage);
  if (process.getuid?.() !== 0 || !hasCommand('apt-get'))
    return [`not installed, so some tests will be skipped: ${names.join(', ')}`];
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const words of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...names],
  ]) {
    const { status, stderr } = spawnSync('apt-get', words, {
      encoding: 'utf8',
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) return [`could not install ${names.join(', ')}: ${stderr.trim().split('\n').at(-1)}`];
  }
  return [`installed ${names.join(', ')}`];
}

export function hasCommand(command) {
  return spawnSync('sh', ['-c', 'command -v "$1" >/dev/null', 'sh', command]).status === 0;
}
