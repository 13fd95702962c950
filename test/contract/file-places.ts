import { expect } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { SystemError } from '../../src/errors.ts';
import type { Directory, FileKind, Files } from '../../src/ports/files.ts';
import { type Listing, RECORD, RECORD_KINDS, unpackStat } from '../../src/ports/listing.ts';
import { createScratchDirectory, type Scratch } from '../support/scratch.ts';

export const EMPTY = '' as Bytes;

/** Names that break programs which take a name for text, for a word of a shell or for an option. */
export const HOSTILE_NAMES: readonly Bytes[] = [
  'new\nline',
  'bad\xff\xfe',
  '\xe9'.repeat(255),
  ' ',
  '-rf',
  '*',
  '\\',
  '$(touch x)',
  '\x1b[2J',
  'quote"\'',
  'e\xcc\x81',
  '...',
] as unknown as readonly Bytes[];

export function errnoOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof SystemError) return error.errno;
    throw error;
  }
}

/** Expects a refusal, and the tree to be as it was. */
export function expectErrno(run: () => unknown, ...errnos: readonly string[]): void {
  expect(errnos).toContain(errnoOf(run));
}

export const b = (text: string): Bytes => bytesFromText(text);

export interface Place extends Disposable {
  readonly scratch: Scratch;
  readonly directory: Directory;
}

/** A listing as the rest of the port would tell it. */
export function unpackListing({ bytes, offsets }: Listing) {
  const kinds = new Map(Object.entries(RECORD_KINDS).map(([kind, code]) => [code, kind as FileKind]));
  return Array.from(offsets, (at) => {
    const nameLength = bytes.readUInt16LE(at + RECORD.nameLength);
    const name = bytes.toString('latin1', at + RECORD.name, at + RECORD.name + nameLength) as Bytes;
    expect(bytes.subarray(at + RECORD.statEnd, at + RECORD.name).every((byte) => byte === 0)).toBe(true);
    const kind = kinds.get(bytes[at + RECORD.kind] as number);
    return { ...unpackStat(bytes, at), name, kind, isMountPoint: bytes[at + RECORD.isMountPoint] === 1 };
  });
}

export function openPlace(files: Files): Place {
  const scratch = createScratchDirectory();
  const directory = files.openDirectory(scratch.bytes);
  return {
    scratch,
    directory,
    [Symbol.dispose]: () => {
      directory[Symbol.dispose]();
      scratch[Symbol.dispose]();
    },
  };
}
