import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { checkSnapshotOptions, chooseExclusions } from '../../../src/commands/snapshot-options.ts';
import type { ParsedCall } from '../../../src/commands/spec.ts';

function call(flags: readonly string[], values: Readonly<Record<string, readonly string[]>> = {}): ParsedCall {
  const given = Object.entries(values).map(([name, list]) => [name, list.map(bytesFromText)] as const);
  return { flags: new Set(flags), values: new Map(given), positionals: [], commandLine: [] };
}

describe('checkSnapshotOptions()', () => {
  test.for([
    ['an exclusion without snapshots', call([], { 'rollback-exclude': ['a'] }), /--rollback-exclude without --rollback/],
    ['everything without snapshots', call(['rollback-all']), /--rollback-all without --rollback/],
    ['everything and an exclusion', call(['rollback', 'rollback-all'], { 'rollback-exclude': ['a'] }), /leaves nothing out/],
    ['everything and an inclusion', call(['rollback', 'rollback-all'], { 'rollback-include': ['a'] }), /leaves nothing out/],
    ['two lines in one pattern', call(['rollback'], { 'rollback-exclude': ['a\nb'] }), /several lines/],
    ['an empty pattern', call(['rollback'], { 'rollback-include': [' '] }), /fits nothing/],
    ['a comment', call(['rollback'], { 'rollback-exclude': ['#a'] }), /comment/],
    ['a negation of a negation', call(['rollback'], { 'rollback-include': ['!a'] }), /is the negation/],
  ] as const)('refuses %s', ([, given, message]) => {
    expect(() => checkSnapshotOptions(given)).toThrow(message);
  });

  test('takes patterns as they are in an ignore file', () => {
    const given = call(['rollback'], { 'rollback-exclude': ['!a', '\\#b', '/c/'], 'rollback-include': ['#d', '**/e'] });
    expect(() => checkSnapshotOptions(given)).not.toThrow();
  });
});

describe('chooseExclusions()', () => {
  const excludes = { patterns: ['/p', '!q'] as Bytes[], globs: ['*.g', 'h/*'] as Bytes[] };

  test('gives the call the last word, and what it takes out the very last', () => {
    const given = call(['rollback'], { 'rollback-exclude': ['a', 'b'], 'rollback-include': ['p'] });
    expect(chooseExclusions(given, { excludes })).toEqual({
      patterns: ['*.g', '/h/*', '/p', '!q', 'a', 'b', '!p'],
      isNothing: false,
    });
  });

  test('leaves nothing out with --rollback-all, whatever the profile says', () => {
    expect(chooseExclusions(call(['rollback', 'rollback-all']), { excludes })).toEqual({ patterns: [], isNothing: true });
  });
});
