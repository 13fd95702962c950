import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { hasCommand } from '../lib/tools.mjs';

/** include/uapi/linux/magic.h */
const TMPFS_MAGIC = 0x01021994;
const MOUNT_AND_RUN = 'mount -t tmpfs -o mode=1777 tmpfs /tmp && exec "$@"';

export function isTmpfs(path) {
  return statfsSync(path).type === TMPFS_MAGIC;
}

/** nono makes each command's TMPDIR in /tmp: where that is on a disk, root can have another one for the time of a measurement. */
export function canHaveOwnTmp(top) {
  return process.getuid?.() === 0 && !isTmpfs('/tmp') && !`${top}/`.startsWith('/tmp/') && hasCommand('unshare');
}

/** Runs this same script in a mount namespace of its own, with a tmpfs as /tmp. @returns its status */
export function runWithOwnTmp() {
  const words = [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    MOUNT_AND_RUN,
    'sh',
    process.execPath,
    ...process.argv.slice(1),
  ];
  return spawnSync('unshare', words, { stdio: 'inherit' }).status ?? 1;
}
