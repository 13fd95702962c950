import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { World } from './world.ts';

/** The names of the built-in profiles. */
export const BUILT_IN = ['default', 'node-dev', 'python-dev', 'rust-dev', 'go-dev', 'claude-code', 'codex', 'opencode', 'gemini'];

/** Writes a file; `~/` is the home, anything else is in the project. */
export function write(world: World, name: string, text: string): void {
  const path = name.startsWith('~/') ? join(world.home, name.slice(2)) : join(world.project, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Of a profile of the user's own, for write(). */
export function profilePath(name: string): string {
  return `~/.config/nono/profiles/${name}.toml`;
}
