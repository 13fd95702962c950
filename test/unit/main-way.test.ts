import { expect, test } from 'vitest';
import { loadedWith } from '../support/loaded-with.ts';

test('main.ts can start a supervisor before it has loaded anything: what it imports is little, and is copied into it', () => {
  expect([...loadedWith('main.ts')].toSorted()).toEqual([
    'main.ts',
    'platform/bun/early-process.ts',
    'platform/bun/spawn-in-background.ts',
    'session/supervisor-process.ts',
  ]);
});
