import { describe, expect, test } from 'vitest';
import { progressText } from '../../../src/ui/progress-text.ts';

describe('progressText()', () => {
  test('says only the count before there is a rate', () => {
    expect(progressText('Verifying', { done: 12, total: 50_000, unit: 'objects', elapsedMs: 999 })).toBe(
      'Verifying: 12 of 50,000 objects',
    );
    expect(progressText('Verifying', { done: 0, total: 3, unit: 'objects', elapsedMs: 5000 })).toBe('Verifying: 0 of 3 objects');
  });

  test('adds rate and time left', () => {
    const text = progressText('Restoring', { done: 10_000, total: 50_000, unit: 'paths', elapsedMs: 2000 });

    expect(text).toBe('Restoring: 10,000 of 50,000 paths, 5,000/s, 8s left');
  });

  test('leaves a rate out that would be none, and the time where nobody knows how much there is', () => {
    expect(progressText('Removing', { done: 2, total: 4, unit: 'sessions', elapsedMs: 60_000 })).toBe(
      'Removing: 2 of 4 sessions, 1m left',
    );
    expect(progressText('Taking the baseline', { done: 30_000, unit: 'entries', elapsedMs: 1500 })).toBe(
      'Taking the baseline: 30,000 entries, 20,000/s',
    );
    expect(progressText('Removing', { done: 4, total: 4, unit: 'sessions', elapsedMs: 2000 })).not.toContain('left');
  });
});
