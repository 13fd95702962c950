import * as fs from 'node:fs';
import { type Bytes, bufferFromBytes, bytesFromBuffer, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { OpenStream, PathFacts } from '../../ports/path-facts.ts';
import { kindOf } from './stat.ts';

const PERMISSIONS = 0o7777;
const STREAMS: readonly number[] = [0, 1, 2];

/** Facts by node:fs, so that the policy's tests run under Node. */
export function createNodePathFacts(): PathFacts {
  return {
    resolve: (path) =>
      named(path, () => {
        const resolved = bytesFromBuffer(fs.realpathSync.native(bufferFromBytes(path), 'buffer'));
        const stat = fs.statSync(bufferFromBytes(resolved));
        return { path: resolved, kind: kindOf(stat), mode: stat.mode & PERMISSIONS };
      }),
    readLink: (path) => readLink(path),
    entries: (path) =>
      required(path, () =>
        fs.readdirSync(bufferFromBytes(path), { encoding: 'buffer' }).map((raw) => {
          const name = bytesFromBuffer(raw);
          const stat = fs.lstatSync(bufferFromBytes(joinPath(path, name)));
          return { name, kind: kindOf(stat), mode: stat.mode & PERMISSIONS };
        }),
      ),
    names: (path) => required(path, () => fs.readdirSync(bufferFromBytes(path), { encoding: 'buffer' }).map(bytesFromBuffer)),
    readStart: (path, sizeBytes) => required(path, () => readStart(path, sizeBytes)),
    streams: () => STREAMS.flatMap(openStream),
  };
}

function readLink(path: Bytes): Bytes | undefined {
  return named(path, () => {
    const raw = bufferFromBytes(path);
    return fs.lstatSync(raw).isSymbolicLink() ? bytesFromBuffer(fs.readlinkSync(raw, { encoding: 'buffer' })) : undefined;
  });
}

function readStart(path: Bytes, sizeBytes: number): Bytes {
  const descriptor = fs.openSync(bufferFromBytes(path), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
  try {
    const start = Buffer.alloc(sizeBytes);
    return bytesFromBuffer(start.subarray(0, fs.readSync(descriptor, start)));
  } finally {
    fs.closeSync(descriptor);
  }
}

function openStream(descriptor: number): readonly OpenStream[] {
  const path = named(`/proc/self/fd/${descriptor}` as Bytes, () =>
    bytesFromBuffer(fs.readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: 'buffer' })),
  );
  if (path === undefined || !path.startsWith('/')) return [];
  const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
  const mode = Number.parseInt(flags ?? '0', 8) & 3;
  return [{ path, canRead: mode !== fs.constants.O_WRONLY, canWrite: mode !== fs.constants.O_RDONLY }];
}

/** @returns undefined when there is nothing. */
function named<T>(path: Bytes, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw code === undefined ? error : new SystemError('open', code, displayBytes(path));
  }
}

function required<T>(path: Bytes, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = codeOf(error);
    throw code === undefined ? error : new SystemError('open', code, displayBytes(path));
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
