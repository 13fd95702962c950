import { describe, expect, test } from 'vitest';
import { type Bytes } from '../../../src/bytes.ts';
import { SystemError } from '../../../src/errors.ts';
import type { Directory, OpenFile } from '../../../src/ports/files.ts';
import { OutputLog } from '../../../src/session/output-log.ts';
import { castLines, readKeptOutput } from '../../../src/session/read-log.ts';

const ID = 'a3f7c2';

/** A directory on a disk that may be full; a write then takes `room` bytes and fails. */
function createDisk() {
  const files = new Map<Bytes, Uint8Array>();
  const disk = { room: Number.POSITIVE_INFINITY };
  const open = (name: Bytes): OpenFile => {
    let at = 0;
    const content = () => files.get(name) ?? new Uint8Array();
    return {
      stat: () => ({ kind: 'file', sizeBytes: content().length }),
      read(into: Uint8Array) {
        const piece = content().subarray(at, at + into.length);
        into.set(piece);
        at += piece.length;
        return piece.length;
      },
      write(data: Uint8Array) {
        files.set(name, Buffer.concat([content(), data.subarray(0, disk.room)]));
        if (data.length > disk.room) throw new SystemError('write', 'ENOSPC');
      },
      [Symbol.dispose]: () => undefined,
    } as unknown as OpenFile;
  };
  const missing = (name: Bytes) => {
    if (!files.has(name)) throw new SystemError('openat', 'ENOENT');
  };
  const directory = {
    openFile(name: Bytes) {
      missing(name);
      return open(name);
    },
    openForAppend(name: Bytes) {
      files.set(name, files.get(name) ?? new Uint8Array());
      return open(name);
    },
    removeFile(name: Bytes) {
      missing(name);
      files.delete(name);
    },
  } as unknown as Directory;
  return { disk, directory };
}

describe('OutputLog', () => {
  test('loses what a full disk does not take and nothing else; the times fit what is there', () => {
    for (const room of [0, 5]) {
      const { disk, directory } = createDisk();
      let nowMs = 0;
      const log = new OutputLog(directory, ID, () => nowMs);
      const write = (text: string) => {
        nowMs += 1000;
        log.output(Buffer.from(text));
        log.flush();
      };
      log.resized({ columns: 80, rows: 24 });
      write('first piece\n');
      disk.room = room;
      write('it does not fit\n');
      disk.room = Number.POSITIVE_INFINITY;
      write('third piece\n');
      log[Symbol.dispose]();

      const kept = readKeptOutput(directory, ID);
      expect(Buffer.from(kept.data).toString()).toBe(`first piece\n${'it does not fit\n'.slice(0, room)}third piece\n`);
      const output = [...castLines(kept, '')].slice(1).map((line) => JSON.parse(line) as [number, string, string]);
      expect(output.at(-1)?.[2].endsWith('third piece\n')).toBe(true);
      expect(output[0]).toEqual([0, 'o', 'first piece\n']);
      expect(output.at(-1)?.[0]).toBe(2);
    }
  });

  test('keeps the end of a flood in order, however it came in pieces', () => {
    for (const pieceBytes of [997, 200_000, 9_000_000]) {
      const { directory } = createDisk();
      const log = new OutputLog(directory, ID, () => 0);
      const flood = Buffer.from(Array.from({ length: 700_000 }, (_, at) => `line ${at}\n`).join(''));
      for (let at = 0; at < flood.length; at += pieceBytes) log.output(flood.subarray(at, at + pieceBytes));

      const kept = Buffer.from(log.read());
      expect(kept.equals(flood.subarray(-kept.length))).toBe(true);
      expect(kept.length).toBeGreaterThan(3_900_000);
      expect(kept.length).toBeLessThan(4_300_000);
      log[Symbol.dispose]();
    }
  });
});
