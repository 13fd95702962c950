import { closeSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PtyInput } from '../../src/platform/linux/pty-input.ts';
import { addressOf, fixedBuffer, syscall } from '../../src/platform/linux/syscalls.ts';
import * as uapi from '../../src/platform/linux/uapi.ts';

const MEBIBYTE = 1024 * 1024;

test('PtyInput keeps what is typed for a program that does not read, in its order, and no more than 16 MiB of it', () => {
  const ends = fixedBuffer(8);
  syscall('pipe2', addressOf(ends), uapi.O_CLOEXEC | uapi.O_NONBLOCK);
  const [from = -1, to = -1] = new Int32Array(ends.buffer);
  let asked = 0;
  const input = new PtyInput(to, () => asked++);
  for (let count = 0; count < 40; count++) input.write(new Uint8Array(MEBIBYTE).fill(count));
  expect(asked).toBe(1);
  let length = 0;
  const seen = new Set<number>();
  const piece = new Uint8Array(64 * 1024);
  while (!input.isEmpty) {
    const got = readSync(from, piece);
    length += got;
    for (const byte of piece.subarray(0, got)) seen.add(byte);
    input.hasRoom();
  }
  expect([...seen]).toEqual([...seen].sort((a, b) => a - b));
  expect(length).toBeGreaterThan(15 * MEBIBYTE);
  expect(length).toBeLessThanOrEqual(17 * MEBIBYTE);
  // There is room again.
  input.write(Buffer.from('later'));
  for (const end of [from, to]) closeSync(end);
});

test('PtyInput keeps little pieces in little more memory than they have bytes', () => {
  const ends = fixedBuffer(8);
  syscall('pipe2', addressOf(ends), uapi.O_CLOEXEC | uapi.O_NONBLOCK);
  const [from = -1, to = -1] = new Int32Array(ends.buffer);
  const input = new PtyInput(to, () => undefined);
  // What a model answers a command that asks on and on.
  const answer = Buffer.from('\x1b[0n');
  const answers = 2_000_000;
  const before = process.memoryUsage().rss;
  for (let count = 0; count < answers; count++) input.write(answer);

  expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEBIBYTE);
  const piece = new Uint8Array(64 * 1024);
  let text = '';
  let got = 0;
  while (got < answers * answer.length) {
    input.hasRoom();
    const length = readSync(from, piece);
    got += length;
    text = (text + Buffer.from(piece.subarray(0, length)).toString('latin1')).replaceAll('\x1b[0n', '');
  }
  expect(text).toBe('');
  for (const end of [from, to]) closeSync(end);
});
