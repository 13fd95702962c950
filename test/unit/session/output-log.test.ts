import { describe, expect, test } from 'vitest';
import { type Bytes } from '../../../src/bytes.ts';
import { SystemError } from '../../../src/errors.ts';
import type { Directory, OpenFile } from '../../../src/ports/files.ts';
import { OutputLog } from '../../../src/session/output-log.ts';
import { castLines, readKeptOutput } from '../../../src/session/read-log.ts';

const ID = 'a3f7c2';

/** A directory on a disk that may be full; a write then takes `room` bytes and fails. */
function createDisk() {
  const files = new Map<Bytes, { content: Uint8Array }>();
  const disk = { room: Number.POSITIVE_INFINITY };
  const open = (name: Bytes): OpenFile => {
    let at = 0;
    const file = files.get(name) ?? { content: new Uint8Array() };
    files.set(name, file);
    return {
      stat: () => ({ kind: 'file', sizeBytes: file.content.length }),
      read(into: Uint8Array) {
        const piece = file.content.subarray(at, at + into.length);
        into.set(piece);
        at += piece.length;
        return piece.length;
      },
      write(data: Uint8Array) {
        file.content = Buffer.concat([file.content, data.subarray(0, disk.room)]);
        if (data.length > disk.room) throw new SystemError('write', 'ENOSPC');
      },
      rewind: () => void (at = 0),
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
    openForAppend: open,
    removeFile(name: Bytes) {
      missing(name);
      files.delete(name);
    },
    rename(from: Bytes, _: Directory, to: Bytes) {
      missing(from);
      files.set(to, files.get(from) ?? { content: new Uint8Array() });
      files.delete(from);
    },
  } as unknown as Directory;
  return { disk, directory, names: () => [...files.keys()] };
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

  test('leaves no half of a shorter log on a full disk: it would take the room that the next piece needs', () => {
    const { disk, directory, names } = createDisk();
    const log = new OutputLog(directory, ID, () => 0);
    const write = (bytes: number) => {
      log.output(Buffer.alloc(bytes, 'x'));
      log.flush();
    };
    write(3_000_000);
    write(3_000_000);
    const before = names();
    disk.room = 10;
    write(3_000_000);
    expect(names()).toEqual(before);
    disk.room = Number.POSITIVE_INFINITY;
    write(3_000_000);
    expect(log.read().length).toBeGreaterThan(3_000_000);
    log[Symbol.dispose]();
  });

  test('keeps the end of a flood in order, however it came in pieces', () => {
    for (const pieceBytes of [997, 200_000, 9_000_000]) {
      const { directory } = createDisk();
      const log = new OutputLog(directory, ID, () => 0);
      const flood = Buffer.from(Array.from({ length: 900_000 }, (_, at) => `line ${at}\n`).join(''));
      for (let at = 0; at < flood.length; at += pieceBytes) log.output(flood.subarray(at, at + pieceBytes));

      const kept = Buffer.from(log.read());
      expect(kept.equals(flood.subarray(-kept.length))).toBe(true);
      expect(kept.length).toBeGreaterThan(3_900_000);
      expect(kept.length).toBeLessThan(4_300_000);
      log[Symbol.dispose]();
    }
  });

  test('holds nothing from before a flood of which it holds only the end: nothing would tell that something is missing', () => {
    const { directory } = createDisk();
    const log = new OutputLog(directory, ID, () => 0);
    const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `line ${from + at}\n`).join('');
    const before = lines(0, 50_000);
    const flood = lines(50_000, 1_000_000);
    log.output(Buffer.from(before));
    log.flush();
    log.output(Buffer.from(flood));

    const kept = Buffer.from(log.read()).toString();
    expect(flood.endsWith(kept)).toBe(true);
    expect(flood[flood.length - kept.length - 1]).toBe('\n');
    expect(kept.length).toBeGreaterThan(4_100_000);
    log[Symbol.dispose]();
  });

  test('holds all of a flood that it has room for', () => {
    const { directory } = createDisk();
    const log = new OutputLog(directory, ID, () => 0);
    log.output(Buffer.from('before\n'));
    log.flush();
    const flood = 'line\n'.repeat(1_500_000);
    for (let at = 0; at < flood.length; at += 100_000) log.output(Buffer.from(flood.slice(at, at + 100_000)));

    expect(Buffer.from(log.read()).toString() === `before\n${flood}`).toBe(true);
    log[Symbol.dispose]();
  });

  test('is cut to whole lines of its end whenever it would be too long, also when they were written long ago', () => {
    const { directory } = createDisk();
    const log = new OutputLog(directory, ID, () => 0);
    const line = (at: number) => `line ${at} ${'x'.repeat(at % 90)}\n`;
    const all = Array.from({ length: 250_000 }, (_, at) => line(at)).join('');
    for (let at = 0; at < all.length; at += 1_000_003) {
      log.output(Buffer.from(all.slice(at, at + 1_000_003)));
      log.flush();
    }

    const kept = Buffer.from(log.read()).toString();
    expect(all.endsWith(kept)).toBe(true);
    expect(all[all.length - kept.length - 1]).toBe('\n');
    expect(kept.length).toBeGreaterThan(4_100_000);
    log[Symbol.dispose]();
  });

  test('keeps the end of what has no lines', () => {
    const { directory } = createDisk();
    const log = new OutputLog(directory, ID, () => 0);
    for (let at = 0; at < 9; at++) {
      log.output(Buffer.alloc(1_000_000, String(at)));
      log.flush();
    }

    expect(Buffer.from(log.read()).subarray(-2_000_000).toString()).toBe('7'.repeat(1_000_000) + '8'.repeat(1_000_000));
    log[Symbol.dispose]();
  });
});
