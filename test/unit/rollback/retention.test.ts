import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { chooseByAge, chooseByCount, chooseByLimits, type RetentionItem } from '../../../src/rollback/retention.ts';

function item(id: string, fields: Partial<RetentionItem> = {}): RetentionItem {
  const base = {
    project: '/p' as Bytes,
    isChanged: true,
    isProtected: false,
    isInterrupted: false,
    restores: undefined,
    bytes: 10,
  };
  return { ...base, id: id as Bytes, startedMs: Number(id.replaceAll(/\D/g, '')), ...fields };
}

const NO_SPACE_LIMIT = { maxBytes: Number.POSITIVE_INFINITY };

describe('chooseByLimits()', () => {
  test('removes nothing within the limits', () => {
    expect(chooseByLimits([item('1'), item('2')], { maxSessions: 2, maxBytes: 20 })).toEqual([]);
  });

  test('lets sessions that changed nothing go before an older one with changes', () => {
    const quiet = ['5', '6', '7'].map((id) => item(id, { isChanged: false }));
    expect(chooseByLimits([item('1'), ...quiet], { maxSessions: 2, ...NO_SPACE_LIMIT })).toEqual(['5', '6']);
  });

  test('keeps the newest of each project longest', () => {
    const items = [item('1', { project: '/q' as Bytes }), item('2'), item('3'), item('4')];
    expect(chooseByLimits(items, { maxSessions: 2, ...NO_SPACE_LIMIT })).toEqual(['2', '3']);
  });

  test('takes restores along with the session that they undo, and does not count them', () => {
    const items = [item('1'), item('2', { restores: '1' as Bytes }), item('3', { restores: '2' as Bytes }), item('4'), item('5')];
    expect(chooseByLimits(items, { maxSessions: 2, ...NO_SPACE_LIMIT })).toEqual(['1', '2', '3']);
  });

  test('takes a session that was restored lately for as young as its restore', () => {
    const items = [item('1'), item('2'), item('3'), item('9', { restores: '1' as Bytes }), item('10')];
    expect(chooseByLimits(items, { maxSessions: 3, ...NO_SPACE_LIMIT })).toEqual(['2']);
    expect(chooseByLimits(items, { maxSessions: 2, ...NO_SPACE_LIMIT })).toEqual(['2', '3']);
    expect(chooseByAge(items, 9)).toEqual(['2', '3']);
    expect(chooseByCount(items, 2)).toEqual(['3', '2']);
  });

  test('goes by space too', () => {
    const items = [item('1', { bytes: 50 }), item('2', { bytes: 30 }), item('3', { bytes: 30 })];
    expect(chooseByLimits(items, { maxSessions: 10, maxBytes: 60 })).toEqual(['1']);
  });

  test('removes nothing for a session that is larger than the limit by itself, and holds the others to it', () => {
    const large = item('4', { bytes: 90, isProtected: true });
    const items = [item('1', { bytes: 30 }), item('2', { bytes: 30 }), large];
    expect(chooseByLimits(items, { maxSessions: 10, maxBytes: 60 })).toEqual([]);
    expect(chooseByLimits([...items, item('3', { bytes: 30 })], { maxSessions: 10, maxBytes: 60 })).toEqual(['1']);
  });

  test('never removes a protected session or what belongs to it', () => {
    const items = [item('1', { isProtected: true }), item('2', { restores: '1' as Bytes }), item('3')];
    expect(chooseByLimits(items, { maxSessions: 0, maxBytes: 0 })).toEqual(['3']);
  });

  test('leaves a restore that was interrupted, and its session, to whoever asks for their removal', () => {
    const items = [item('1'), item('2', { restores: '1' as Bytes, isInterrupted: true }), item('3')];
    expect(chooseByLimits(items, { maxSessions: 0, maxBytes: 0 })).toEqual(['3']);
    expect(chooseByCount(items, 0)).toEqual(['3', '1', '2']);
  });

  test('keeps within the limits, or removes all that may go', () => {
    const anyItem = fc.record({
      id: fc.integer({ min: 1, max: 500 }).map((id) => String(id) as Bytes),
      project: fc.constantFrom('/p' as Bytes, '/q' as Bytes),
      startedMs: fc.integer({ min: 0, max: 1000 }),
      isChanged: fc.boolean(),
      isProtected: fc.boolean(),
      isInterrupted: fc.boolean(),
      restores: fc.option(
        fc.integer({ min: 1, max: 500 }).map((id) => String(id) as Bytes),
        { nil: undefined },
      ),
      bytes: fc.integer({ min: 0, max: 100 }),
    });
    const items = fc.uniqueArray(anyItem, { selector: ({ id }) => id, maxLength: 20 });
    fc.assert(
      fc.property(items, fc.nat(10), fc.nat(500), (all, maxSessions, maxBytes) => {
        const removed = new Set(chooseByLimits(all, { maxSessions, maxBytes }));
        const left = all.filter(({ id }) => !removed.has(id));
        expect(all.filter(({ id, isProtected }) => isProtected && removed.has(id))).toEqual([]);
        const again = chooseByLimits(left, { maxSessions, maxBytes });
        expect(again).toEqual([]);
      }),
    );
  });
});

describe('chooseByCount() and chooseByAge()', () => {
  test('keep the newest', () => {
    expect(chooseByCount([item('1'), item('3'), item('2')], 1)).toEqual(['2', '1']);
    expect(chooseByCount([item('1'), item('2', { isProtected: true })], 0)).toEqual(['1']);
  });

  test('remove what began before a moment', () => {
    expect(chooseByAge([item('1'), item('2'), item('3')], 3)).toEqual(['1', '2']);
  });
});
