import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/nearest.ts';

const VERBS = ['run', 'wrap', 'rollback list', 'rollback show', 'rollback restore', 'rollback verify'];

describe('nearest()', () => {
  test.for([
    ['rnu', 'run'],
    ['rn', 'run'],
    ['rum', 'run'],
    ['warp', 'wrap'],
    ['rollback lst', 'rollback list'],
    ['rollback retsore', 'rollback restore'],
    ['run', 'run'],
  ])('finds %j near %j', ([word, expected]) => {
    expect(nearest(word ?? '', VERBS)).toBe(expected);
  });

  test.for(['', 'x', 'frobnicate', 'ruin them'])('finds nothing near %j', (word) => {
    expect(nearest(word, VERBS)).toBeUndefined();
  });

  test('prefers the first of equally near ones', () => {
    expect(nearest('xog', ['dog', 'fog'])).toBe('dog');
  });

  test('finds what one edit makes of a candidate of three letters or more', () => {
    const letters = fc.stringMatching(/^[a-z]{3,10}$/);
    fc.assert(
      fc.property(letters, fc.nat(), fc.stringMatching(/^[a-z]?$/), (candidate, at, letter) => {
        const place = at % candidate.length;
        const replaced = candidate.slice(0, place) + letter + candidate.slice(place + 1);
        expect(nearest(replaced, [candidate])).toBe(candidate);
      }),
    );
  });
});
