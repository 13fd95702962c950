import { execFileSync } from 'node:child_process';
import { copyFileSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'vitest';
import { type CallOptions, type Outcome, runNono } from './nono.ts';
import type { World } from './world.ts';

/** Real files to work on: what npm has installed here. */
const SOURCE = resolve(import.meta.dirname, '../../node_modules');
const LARGEST_BYTES = 64 * 1024;

/** Writes files below the world's project. */
export function writeProject(world: World, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(world.project, path)), { recursive: true });
    writeFileSync(join(world.project, path), content);
  }
  ownProject(world);
}

/** Makes everything in the project the property of the world's user. */
export function ownProject(world: World): void {
  if (world.asUser.length === 0) return;
  const { uid, gid } = lstatSync(world.home);
  const visit = (path: string): void => {
    lchownSync(path, uid, gid);
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
  };
  visit(world.project);
}

/** Copies `count` small files of real packages into the project. */
export function copyRealFiles(world: World, count: number): void {
  let copied = 0;
  const visit = (from: string, to: string): void => {
    mkdirSync(to, { recursive: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (copied >= count) return;
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory() && entry.name !== 'node_modules') visit(source, target);
      if (!entry.isFile() || lstatSync(source).size > LARGEST_BYTES) continue;
      copyFileSync(source, target);
      copied += 1;
    }
  };
  visit(SOURCE, join(world.project, 'vendor'));
  expect(copied).toBe(count);
}

/** Makes the project a repository with everything committed. */
export function commitProject(world: World): void {
  const git = (...words: readonly string[]) => {
    const [file = '', ...rest] = [...world.asUser, 'git', '-c', 'user.name=n', '-c', 'user.email=n@example.org', ...words];
    execFileSync(file, rest, { cwd: world.project, env: world.environment, stdio: 'pipe' });
  };
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'one');
}

/** Runs a shell script under `nono run --rollback` in the project; it has to end with 0. */
export async function runTracked(world: World, script: string): Promise<Outcome> {
  const outcome = await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script]);
  expect(outcome).toMatchObject({ status: 0, signal: null });
  return outcome;
}

export interface ListedSession {
  readonly session_id: string;
  readonly run_id: string | null;
  readonly kind: string;
  readonly status: string;
  readonly is_alive: boolean;
  readonly [field: string]: unknown;
}

/** What `nono rollback list --all --json` gives. */
export async function listSessions(world: World): Promise<readonly ListedSession[]> {
  const { stdout } = await runNono(world, ['rollback', 'list', '--all', '--json']);
  return JSON.parse(stdout) as ListedSession[];
}

export function rollback(world: World, words: readonly string[], options?: CallOptions): Promise<Outcome> {
  return runNono(world, ['rollback', ...words], options);
}

/** The directory of a session in the state directory. */
export function sessionDirectory(world: World, id: string): string {
  return join(world.state, 'rollbacks', id);
}

export function readProject(world: World, path: string): string {
  return readFileSync(join(world.project, path), 'utf8');
}
