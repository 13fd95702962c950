import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { isErrno } from '../../src/errors.ts';
import { syncDiskInThread } from '../../src/platform/linux/disk-sync/sync-disk.ts';

const directory = mkdtempSync(join(tmpdir(), 'nono-sync-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('syncDiskInThread()', () => {
  test('syncs as often as it is asked to, one after the other, and leaves no descriptor open', async () => {
    await syncDiskInThread(bytesFromText(directory));
    const before = readdirSync('/proc/self/fd').length;
    await Promise.all(Array.from({ length: 50 }, () => syncDiskInThread(bytesFromText(directory))));
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 50);
  });

  test('lets the loop go on meanwhile', async () => {
    const order: string[] = [];
    const synced = syncDiskInThread(bytesFromText(directory)).then(() => order.push('synced'));
    await Promise.resolve();
    order.push('loop');
    await synced;
    expect(order).toEqual(['loop', 'synced']);
  });

  test('rejects for a directory that is gone, and syncs the next one', async () => {
    const gone = syncDiskInThread(bytesFromText(join(directory, 'gone')));
    await expect(gone).rejects.toSatisfy((error) => isErrno(error, 'ENOENT'));
    await syncDiskInThread(bytesFromText(directory));
  });
});
