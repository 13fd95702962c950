import type * as fs from 'node:fs';
import type { FileKind, Stat } from '../../ports/files.ts';
import { ownMode } from './own-mode.ts';

export function kindOf(stat: fs.StatsBase<bigint | number>): FileKind {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isBlockDevice() ? 'blockDevice' : 'characterDevice';
}

/** A stat of node:fs in the form of the port. */
export function convert(stat: fs.BigIntStats): Stat {
  const nanosecondsOf = (time: bigint) => Number(((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  const secondsOf = (time: bigint) => Number((time - BigInt(nanosecondsOf(time))) / 1_000_000_000n);
  const mode = Number(stat.mode & 0o7777n);
  return {
    kind: kindOf(stat),
    mode: stat.isFile() ? ownMode(mode, Number(stat.uid), Number(stat.gid)) : mode,
    sizeBytes: Number(stat.size),
    blocks: Number(stat.blocks),
    links: Number(stat.nlink),
    uid: Number(stat.uid),
    device: Number(stat.dev),
    inode: stat.ino,
    mtimeSeconds: secondsOf(stat.mtimeNs),
    mtimeNanoseconds: nanosecondsOf(stat.mtimeNs),
    ctimeSeconds: secondsOf(stat.ctimeNs),
    ctimeNanoseconds: nanosecondsOf(stat.ctimeNs),
    bornMs: stat.birthtimeNs === 0n ? undefined : Number(stat.birthtimeNs) / 1_000_000,
    isMountPoint: false,
  };
}
