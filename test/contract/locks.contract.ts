import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import type { Files } from '../../src/ports/files.ts';
import { openPlace } from './file-places.ts';

const b = bytesFromText;

/** What every Files adapter owes those who own something by a lock, and those who only ask. */
export function describeLocksContract(name: string, createFiles: () => Files): void {
  describe(`${name} OpenFile, as a lock`, () => {
    test('tells whether another one has the lock, without taking it', () => {
      using place = openPlace(createFiles());
      using owner = place.directory.createFile(b('f'), 0o600);
      using first = place.directory.openFile(b('f'));
      using second = place.directory.openFile(b('f'));
      expect([first.isLocked(), second.isLocked()]).toEqual([false, false]);
      expect(owner.tryLock()).toBe(true);
      expect([first.isLocked(), second.isLocked()]).toEqual([true, true]);
    });

    test('is locked by nobody while others share it, and shared by nobody while one has locked it', () => {
      using place = openPlace(createFiles());
      using wanted = place.directory.createFile(b('f'), 0o600);
      {
        using first = place.directory.openFile(b('f'));
        using second = place.directory.openFile(b('f'));
        expect([first.tryLockShared(), second.tryLockShared()]).toEqual([true, true]);
        // Sharing is owning for nobody.
        expect([wanted.isLocked(), wanted.tryLock()]).toEqual([false, false]);
      }
      expect(wanted.tryLock()).toBe(true);
      using late = place.directory.openFile(b('f'));
      expect([late.tryLockShared(), late.isLocked()]).toEqual([false, true]);
    });
  });
}
