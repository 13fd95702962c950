import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { canBecomeOrdinaryUser } from './world.ts';

/** Not one of a version manager, which the sandbox of a world with another home does not know. */
export const PYTHON = '/usr/bin/python3';

/** Skips the test, and says why, where a program that it drives is not installed. */
export function needCommands(context: TestContext, ...commands: readonly string[]): void {
  const missing = commands.filter((command) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', command]).status !== 0);
  if (missing.length > 0) context.skip(`needs ${missing.join(', ')}, which is not installed`);
}

/** Skips the test, and says why, where no other user can be taken on. */
export function needOtherUser(context: TestContext): void {
  if (!canBecomeOrdinaryUser()) context.skip('needs root, to become an ordinary user');
}
