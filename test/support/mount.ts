import { execFileSync, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { createScratchDirectory } from './scratch.ts';
import { needCommands } from './tools.ts';

/** Sparse, and above the least that mkfs.xfs takes. */
const IMAGE_BYTES = 1024 ** 3;

/**
 * A file system in memory, away when the test ends. Skips it, and says why, where none can be mounted.
 *
 * @param options Of tmpfs(5), such as "size=3m,nr_inodes=200".
 */
export function mountTmpfs(context: TestContext, path: string, options: string): Disposable {
  mkdirSync(path, { recursive: true });
  mount(context, 'needs root and mount(8)', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', path]);
  return { [Symbol.dispose]: () => unmount(path) };
}

/**
 * A file system of its own in a file, which goes with the test. Skips it, and says why, where none can be made.
 *
 * @param options Of mkfs(8).
 */
export function mountImage(
  context: TestContext,
  type: 'ext4' | 'btrfs' | 'xfs',
  options: readonly string[] = [],
): Disposable & { at(name: string): string } {
  needCommands(context, `mkfs.${type}`, 'mount', 'umount');
  const scratch = createScratchDirectory();
  const image = scratch.at('image');
  const mounted = scratch.at('mounted');
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  mkdirSync(mounted);
  try {
    execFileSync(`mkfs.${type}`, ['-q', ...options, image], { stdio: 'pipe' });
    mount(context, `needs root, and a kernel with loop devices and ${type}`, ['-o', 'loop', image, mounted]);
  } catch (error) {
    scratch[Symbol.dispose]();
    throw error;
  }
  return {
    at: (name) => join(mounted, name),
    [Symbol.dispose]: () => {
      unmount(mounted);
      scratch[Symbol.dispose]();
    },
  };
}

/** What is below `lower` as a file system of its own at `path`, which keeps what is changed in memory. Skips the test where none can be mounted. */
export function mountOverlay(context: TestContext, lower: string, path: string): Disposable {
  const memory = `${path}.memory`;
  const mounted = mountTmpfs(context, memory, 'size=16m');
  const [upper, work] = [join(memory, 'upper'), join(memory, 'work')];
  for (const directory of [upper, work]) mkdirSync(directory);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  try {
    mount(context, 'needs root and overlayfs', ['-t', 'overlay', '-o', options, 'overlay', path]);
  } catch (error) {
    mounted[Symbol.dispose]();
    throw error;
  }
  return {
    [Symbol.dispose]: () => {
      unmount(path);
      mounted[Symbol.dispose]();
    },
  };
}

/** What is below `directory` once more at `path`, by FUSE: for each name the kernel holds for a minute what it was told. Skips the test where that cannot be had. */
export function mountMirror(context: TestContext, directory: string, path: string): Disposable {
  needCommands(context, 'mergerfs', 'mount', 'umount');
  mkdirSync(path, { recursive: true });
  mount(context, 'needs root and FUSE', ['-t', 'fuse.mergerfs', '-o', 'cache.attr=60,cache.entry=60', directory, path]);
  return { [Symbol.dispose]: () => unmount(path) };
}

/**
 * A FUSE file system at `path` that answers nothing: its server has ended, or another user has mounted it for himself. Skips the test where none
 * can be mounted.
 */
export function mountFuse(context: TestContext, path: string, state: 'ended' | 'of another user'): Disposable {
  let server: number;
  try {
    server = openSync('/dev/fuse', 'r+');
  } catch (error) {
    context.skip(`needs root and FUSE: ${String(error)}`);
  }
  mkdirSync(path, { recursive: true });
  const options = `fd=3,rootmode=40000,user_id=${state === 'ended' ? 0 : 4242},group_id=0`;
  try {
    const words = ['-i', '-t', 'fuse', '-o', options, 'fuse', path];
    mount(context, 'needs root and FUSE', words, ['ignore', 'pipe', 'pipe', server]);
  } catch (error) {
    closeSync(server);
    throw error;
  }
  if (state === 'ended') closeSync(server);
  return {
    [Symbol.dispose]: () => {
      unmount(path);
      if (state !== 'ended') closeSync(server);
    },
  };
}

/** The directory `from` at `path` too, away when the test ends. Skips it, and says why, where nothing can be mounted. */
export function mountAlso(context: TestContext, from: string, path: string): Disposable {
  mkdirSync(path, { recursive: true });
  mount(context, 'needs root and mount(8)', ['--bind', from, path]);
  return { [Symbol.dispose]: () => unmount(path) };
}

/** With other options from now on, such as "ro". */
export function remount(path: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, path], { stdio: 'pipe' });
}

function mount(context: TestContext, need: string, words: readonly string[], stdio: StdioOptions = 'pipe'): void {
  try {
    execFileSync('mount', words, { stdio });
  } catch (error) {
    context.skip(`${need}: ${String(error).split('\n')[0]}`);
  }
}

/** Also where a process that is just ending still has something open. */
function unmount(path: string): void {
  execFileSync('umount', ['-l', path], { stdio: 'pipe' });
}
