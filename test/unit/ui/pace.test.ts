import { describe, expect, test } from 'vitest';
import { paceText } from '../../../src/ui/pace.ts';

describe('paceText()', () => {
  test('says only the count before there is a rate', () => {
    expect(paceText('Verifying', { done: 12, total: 50_000, unit: 'objects', elapsedMs: 999 })).toBe(
      'Verifying: 12 of 50,000 objects',
    );
    expect(paceText('Verifying', { done: 0, total: 3, unit: 'objects', elapsedMs: 5000 })).toBe('Verifying: 0 of 3 objects');
  });

  test('adds rate and time left', () => {
    const text = paceText('Restoring', { done: 10_000, total: 50_000, unit: 'paths', elapsedMs: 2000 });

    expect(text).toBe('Restoring: 10,000 of 50,000 paths, 5,000/s, 8s left');
  });

  test('leaves a rate out that would be none, and the time where nobody knows how much there is', () => {
    expect(paceText('Removing', { done: 2, total: 4, unit: 'sessions', elapsedMs: 60_000 })).toBe(
      'Removing: 2 of 4 sessions, 1m left',
    );
    expect(paceText('Taking the baseline', { done: 30_000, unit: 'entries', elapsedMs: 1500 })).toBe(
      'Taking the baseline: 30,000 entries, 20,000/s',
    );
    expect(paceText('Removing', { done: 4, total: 4, unit: 'sessions', elapsedMs: 2000 })).not.toContain('left');
  });
});
