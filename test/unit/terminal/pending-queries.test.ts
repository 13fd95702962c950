import { expect, test } from 'vitest';
import { PendingQueries } from '../../../src/terminal/queries.ts';

test('PendingQueries keeps the last ones of a program that asks on and on, and their order', () => {
  const queries = new PendingQueries<number>();
  const asked = 200_000;
  for (let at = 0; at < asked; at++) queries.add('da1', at, 0);
  const kept = queries.takeAll(0);

  expect(kept.length).toBeLessThanOrEqual(10_000);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => asked - kept.length + at));
});
