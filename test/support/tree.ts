import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * One line for each entry below `directory` and for itself, in the order of their bytes:
 * path, type, mode, size, SHA-256 or link target, mtime in nanoseconds. Equal trees give equal lists.
 *
 * @param leaveOut names of entries to pass over, wherever they are.
 */
export function dumpTree(directory: string, { leaveOut = [] }: { readonly leaveOut?: readonly string[] } = {}): string[] {
  const lines: string[] = [];
  const names = new Set(leaveOut);
  const visit = (path: Buffer, shown: string): void => {
    const stat = unlessClosed(() => lstatSync(path, { bigint: true }), undefined);
    if (stat === undefined) {
      lines.push(`${shown} not reachable`);
      return;
    }
    lines.push(`${shown} ${describe(path, stat)}`);
    if (!stat.isDirectory()) return;
    for (const name of unlessClosed(() => readdirSync(path, { encoding: 'buffer' }), []).sort((a, b) => Buffer.compare(a, b))) {
      if (names.has(name.toString('utf8'))) continue;
      visit(Buffer.concat([path, Buffer.from('/'), name]), `${shown}/${escape(name)}`);
    }
  };
  visit(Buffer.from(directory), '.');
  return lines;
}

function describe(path: Buffer, stat: BigIntStats): string {
  const mode = (stat.mode & 0o7777n).toString(8).padStart(4, '0');
  const common = `${mode} mtime=${stat.mtimeNs}`;
  if (stat.isFile()) {
    const hash = unlessClosed(() => createHash('sha256').update(readFileSync(path)).digest('hex'), 'not readable');
    return `file ${common} size=${stat.size} sha256=${hash}`;
  }
  if (stat.isSymbolicLink()) return `link mtime=${stat.mtimeNs} to=${escape(readlinkSync(path, { encoding: 'buffer' }))}`;
  if (stat.isDirectory()) return `directory ${common}`;
  return `other ${common} type=${(stat.mode >> 12n).toString(8)}`;
}

/** What an ordinary user may not read is dumped as that. */
function unlessClosed<T>(read: () => T, closed: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') return closed;
    throw error;
  }
}

/** Names are bytes: what is not plain ASCII is written as \xhh, so that a line is one line and no two names look alike. */
function escape(name: Buffer): string {
  return name.toString('latin1').replaceAll(/[^!-[\]-~]/g, (unit) => `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
