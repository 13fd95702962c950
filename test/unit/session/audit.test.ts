import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, bufferFromBytes, bytesFromBuffer } from '../../../src/bytes.ts';
import { SystemError } from '../../../src/errors.ts';
import type { OpenFile } from '../../../src/ports/files.ts';
import type { AuditEvent } from '../../../src/session/audit-event.ts';
import { AuditLog } from '../../../src/session/audit-log.ts';
import { hexDigest, NO_LINE, readAudit } from '../../../src/session/audit-read.ts';
import { redactCommand } from '../../../src/session/redact.ts';
import { createTestClock, loadAdapters } from '../../support/adapters.ts';

const { hash } = await loadAdapters();
const deps = { clock: createTestClock(), hash };

/** A file in memory on a disk with so much room. */
class MemoryFile implements Pick<OpenFile, 'write' | 'setSize' | 'syncLater'> {
  data = Buffer.alloc(0);
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  write(data: Uint8Array): void {
    const taken = Math.min(data.length, this.room - this.data.length);
    this.data = Buffer.concat([this.data, data.subarray(0, taken)]);
    if (taken < data.length) throw new SystemError('write', 'ENOSPC');
  }

  setSize(bytes: number): void {
    this.data = this.data.subarray(0, bytes);
  }

  syncLater = () => Promise.resolve();

  get text(): Bytes {
    return bytesFromBuffer(this.data);
  }
}

const openLog = (file: MemoryFile) => new AuditLog(file as unknown as OpenFile, deps);
const renamed = (name: string): AuditEvent => ({ event: 'rename', name, pid: 1, uid: 0 });

function writeLog(count: number): { readonly text: Bytes; readonly log: AuditLog } {
  const file = new MemoryFile();
  const log = openLog(file);
  for (let at = 0; at < count; at++) log.record(renamed(`name-${at}`));
  log.flush();
  return { text: file.text, log };
}

describe('an audit log', () => {
  test('names in each line the one before it, and reads back without a break', () => {
    const { text, log } = writeLog(3);
    const lines = text.trimEnd().split('\n') as Bytes[];
    const parsed = lines.map((line) => JSON.parse(line) as { readonly prev: string; readonly number: number });

    expect(parsed.map(({ number }) => number)).toEqual([1, 2, 3]);
    const digests = lines.map((line) => hexDigest(bufferFromBytes(line), hash));
    expect(parsed.map(({ prev }) => prev)).toEqual([NO_LINE, ...digests.slice(0, 2)]);
    expect(log.head).toEqual({ events: 3, digest: digests[2] });
    expect(readAudit(text, hash, log.head)).toMatchObject({ breaks: [], isTorn: false, head: log.head });
  });

  test('of which any byte was changed, or any line taken out, doubled or moved, has a break', () => {
    const { text, log } = writeLog(6);
    const lines = text.trimEnd().split('\n');
    const breaks = (changed: string) => readAudit(changed as Bytes, hash, log.head).breaks.length;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ flip) + text.slice(at + 1);
        expect(breaks(changed)).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
    for (const [at, line] of lines.entries()) {
      expect(breaks(`${lines.toSpliced(at, 1).join('\n')}\n`), `without line ${at}`).toBeGreaterThan(0);
      expect(breaks(`${lines.toSpliced(at, 0, line).join('\n')}\n`), `line ${at} twice`).toBeGreaterThan(0);
    }
    expect(breaks(`${lines.toReversed().join('\n')}\n`)).toBeGreaterThan(0);
    expect(readAudit(`${lines.slice(0, 4).join('\n')}\n` as Bytes, hash, log.head).breaks).toEqual([
      { line: 5, reason: expect.stringContaining('ended') },
    ]);
  });

  test('names the line of a break', () => {
    const { text } = writeLog(5);
    const changed = text.replace('name-2', 'name-9') as Bytes;

    expect(readAudit(changed, hash, undefined).breaks).toEqual([{ line: 4, reason: 'it does not follow the line before it' }]);
  });

  test('with a number that is none has a break, also where that is an object without a text', () => {
    const line = JSON.stringify({ format: 1, number: { toString: 1 }, prev: NO_LINE });
    const { breaks } = readAudit(`${line}\n` as Bytes, hash, undefined);
    expect(breaks).toEqual([{ line: 1, reason: 'it is numbered with no number, expected 1' }]);
  });

  test('whose last line was never finished is torn, not broken', () => {
    const { text } = writeLog(3);

    expect(readAudit(text.slice(0, -5) as Bytes, hash, undefined)).toMatchObject({
      breaks: [],
      isTorn: true,
      head: { events: 2 },
    });
  });

  test('with events of a newer nono is read all the same', () => {
    const { text } = writeLog(1);
    const prev = hexDigest(bufferFromBytes(text.trimEnd() as Bytes), hash);
    const line = JSON.stringify({ format: 1, number: 2, time: 'x', event: 'teleported', to: 'mars', prev });

    expect(readAudit(`${text}${line}\n` as Bytes, hash, undefined)).toMatchObject({ breaks: [], events: [{}, { to: 'mars' }] });
  });

  test('on a full disk holds whole lines alone, and says how many are missing when there is room again', () => {
    const file = new MemoryFile(300);
    const log = openLog(file);
    for (let at = 0; at < 5; at++) log.record(renamed(`name-${at}`));
    log.flush();
    expect(log.lost).toBe(4);
    expect(readAudit(file.text, hash, log.head)).toMatchObject({ breaks: [], isTorn: false, head: { events: 1 } });
    log.record(renamed('lost too'));
    log.flush();
    expect(log.lost).toBe(5);

    file.room = 4000;
    log.record(renamed('after'));
    log.flush();

    const { events, breaks, missing } = readAudit(file.text, hash, log.head);
    expect({ breaks, lost: log.lost, missing }).toEqual({ breaks: [], lost: 0, missing: 5 });
    expect(log.missing).toBe(5);
    expect(events.slice(1)).toMatchObject([
      { event: 'gap', lost: 5, reason: 'ENOSPC' },
      { event: 'rename', name: 'after' },
    ]);
  });
});

describe('redactCommand()', () => {
  test.for([
    { words: ['npm', 'test'], expected: ['npm', 'test'] },
    { words: ['tool', '--token=abc'], expected: ['tool', '--token=[redacted]'] },
    { words: ['tool', '--api-key', 'abc', 'file'], expected: ['tool', '--api-key', '[redacted]', 'file'] },
    {
      words: ['env', 'GITHUB_TOKEN=abc', 'PATH=/bin', 'make'],
      expected: ['env', 'GITHUB_TOKEN=[redacted]', 'PATH=/bin', 'make'],
    },
    { words: ['curl', 'https://me:pass@host/x'], expected: ['curl', 'https://me:[redacted]@host/x'] },
    { words: ['curl', '-H', 'Authorization: Bearer abc.def'], expected: ['curl', '-H', 'Authorization: Bearer [redacted]'] },
    { words: ['echo', `ghp_${'a'.repeat(36)}`], expected: ['echo', '[redacted]'] },
    { words: ['sort', '--key', '--reverse'], expected: ['sort', '--key', '--reverse'] },
    { words: ['caf\xe9', '--password', ''], expected: ['caf\xe9', '--password', '[redacted]'] },
  ])('makes $expected of $words', ({ words, expected }) => {
    expect(redactCommand(words as Bytes[])).toEqual(expected);
  });
});
