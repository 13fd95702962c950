import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

export const ARCHIVE = 'nono-linux-x64.tar.gz';
export const SMALLER = 'nono-linux-x64.tar.xz';
const FILES = [
  'LICENSE',
  'LICENSES-OF-OTHERS',
  'README.md',
  'completions/nono.bash',
  'completions/_nono',
  'completions/nono.fish',
  'man/nono.1',
];

/** The caller's, without a nono that may be installed there: the installer asks it what runs. */
export const PATH_WITHOUT_NONO = (process.env['PATH'] ?? '')
  .split(':')
  .filter((directory) => !existsSync(join(directory, 'nono')))
  .join(':');

/** A release whose executable is a script that knows its version and lists no sessions. */
export function makeRelease(world: World, version: string, executable = `echo "nono ${version}"`): string {
  const release = join(world.directory, `release-${version}`);
  const tree = join(world.directory, 'tree', 'nono');
  for (const directory of ['completions', 'man']) mkdirSync(join(tree, directory), { recursive: true });
  writeFileSync(join(tree, 'nono'), `#!/bin/sh\n[ "$1" != ps ] || exit 0\n${executable}\n`);
  chmodSync(join(tree, 'nono'), 0o755);
  for (const file of FILES) writeFileSync(join(tree, file), `${file} of ${version}\n`);
  mkdirSync(release);
  execFileSync('tar', ['-czf', join(release, ARCHIVE), '-C', join(world.directory, 'tree'), 'nono']);
  writeFileSync(join(release, 'SHA256SUMS'), `${sha256(join(release, ARCHIVE))}  ${ARCHIVE}\n`);
  return release;
}

/** A release that has only the smaller archive, as it is made for x64. */
export function makeSmallRelease(world: World): string {
  const release = makeRelease(world, '1.0.0');
  const tar = execFileSync('gzip', ['-dc', join(release, ARCHIVE)]);
  rmSync(join(release, ARCHIVE));
  writeFileSync(join(release, SMALLER), execFileSync('xz', ['--stdout', '--x86', '--lzma2=preset=6'], { input: tar }));
  writeFileSync(join(release, 'SHA256SUMS'), `${sha256(join(release, SMALLER))}  ${SMALLER}\n`);
  return release;
}

export function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
