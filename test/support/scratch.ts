import { chmodSync, lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';

/** An empty directory that goes with the test. */
export interface Scratch extends Disposable {
  /** Its links are resolved. */
  readonly path: string;
  readonly bytes: Bytes;
  at(name: string): string;
  /** For node:fs: the path of a name that need not be text. */
  raw(name: Bytes | string): Buffer;
}

/** @param place Where it is made; on the disk by default. */
export function createScratchDirectory(place = tmpdir()): Scratch {
  const path = realpathSync(mkdtempSync(join(place, 'nono-s-')));
  return {
    path,
    bytes: bytesFromText(path),
    at: (name) => join(path, name),
    raw: (name) => Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, 'latin1')]),
    [Symbol.dispose]: () => {
      openUp(Buffer.from(path));
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** A test may have closed a directory to everybody. */
function openUp(path: Buffer): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path, { encoding: 'buffer' })) {
    // What is deeper was made by descriptors, and is the test's own to remove.
    if (path.length + name.length < 4000) openUp(Buffer.concat([path, Buffer.from('/'), name]));
  }
}
