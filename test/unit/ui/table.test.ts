import { describe, expect, test } from 'vitest';
import { renderTable } from '../../../src/ui/table.ts';

describe('renderTable()', () => {
  test('gives each column but the last the width of its longest text', () => {
    expect(
      renderTable([
        ['ID', 'NAME', 'WHAT'],
        ['1', 'longer', 'a b c'],
        ['22', '', ''],
      ]),
    ).toBe('ID  NAME    WHAT\n1   longer  a b c\n22          \n');
  });

  test('counts what a terminal shows, and not units', () => {
    expect(
      renderTable([
        ['漢字', 'x'],
        ['abc', 'y'],
      ]),
    ).toBe('漢字  x\nabc   y\n');
  });

  test('has nothing to show of no rows', () => {
    expect(renderTable([])).toBe('');
  });
});
