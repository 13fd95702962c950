import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import type { Change } from '../../../src/rollback/compare.ts';
import { type Entry, NO_HASH, skippedEntry } from '../../../src/rollback/entry.ts';
import { findTraps } from '../../../src/rollback/traps.ts';

function entry(fields: Partial<Entry> = {}): Entry {
  const base = { ...skippedEntry('x' as Bytes, 'excluded'), reason: undefined, mode: 0o644, hash: NO_HASH };
  return { ...base, kind: 'file', ...fields };
}

function change(path: string, fields: Partial<Change> = {}): Change {
  return { path: `/p/${path}` as Bytes, root: '/p' as Bytes, type: '+', before: undefined, after: entry(), ...fields };
}

function reasonOf(given: Change, contents: { readonly before?: string; readonly after?: string } = {}): string | undefined {
  return findTraps([given], (_, side) => contents[side] as Bytes | undefined)[0]?.reason;
}

const TRAPS = [
  '.envrc',
  'sub/.envrc',
  '.vscode/tasks.json',
  '.idea/workspace.xml',
  '.zed/tasks.json',
  '.devcontainer/devcontainer.json',
  '.github/workflows/ci.yml',
  '.gitlab-ci.yml',
  'Jenkinsfile',
  'Makefile',
  'lib/rules.mk',
  'justfile',
  'build.rs',
  'setup.py',
  'conftest.py',
  '.husky/pre-commit',
  '.pre-commit-config.yaml',
  '.gitattributes',
  '.npmrc',
  '.cargo/config.toml',
  '.bashrc',
  '.zshenv',
  '.config/fish/conf.d/x.fish',
  '.config/autostart/x.desktop',
  '.ssh/authorized_keys',
  '.gitconfig',
  '.claude/settings.json',
  '.mcp.json',
  'CLAUDE.md',
  'vite.config.ts',
];

const HARMLESS = ['README.md', 'src/main.ts', 'envrc', 'docs/Makefile.md', 'vscode/tasks.json', 'bashrc', 'src/config', 'a.mkv'];

describe('findTraps()', () => {
  test.for(TRAPS)('flags %s where it is new or changed, and not where it is gone', (path) => {
    expect(reasonOf(change(path))).toEqual(expect.any(String));
    expect(reasonOf(change(path, { type: '~', before: entry() }))).toEqual(expect.any(String));
    expect(reasonOf(change(path, { type: '-', before: entry(), after: undefined }))).toBeUndefined();
    expect(reasonOf(change(path, { type: 'm', before: entry() }))).toBeUndefined();
  });

  test.for(HARMLESS)('lets %s pass', (path) => {
    expect(reasonOf(change(path))).toBeUndefined();
  });

  test.for([
    { what: 'a new program', before: undefined, after: 0o755, hash: 'a', reason: 'a new program' },
    { what: 'a file that became one', before: 0o644, after: 0o755, hash: 'a', reason: 'became a program' },
    { what: 'one that was changed', before: 0o755, after: 0o755, hash: 'b', reason: 'a program that was changed' },
    { what: 'one with another mode', before: 0o755, after: 0o750, hash: 'a', reason: undefined },
    { what: 'a file that was one', before: 0o755, after: 0o644, hash: 'b', reason: undefined },
    { what: 'setuid', before: 0o755, after: 0o4755, hash: 'a', reason: 'it runs with the rights of its owner (setuid)' },
  ])('says of $what "$reason"', ({ before, after, hash, reason }) => {
    const old = before === undefined ? undefined : entry({ mode: before, hash: 'a' as Bytes });
    const type = before === undefined ? '+' : hash === 'a' ? 'p' : '~';
    expect(reasonOf(change('tool', { type, before: old, after: entry({ mode: after, hash: hash as Bytes }) }))).toBe(reason);
  });

  test.for([
    { target: '../outside', isTrap: true },
    { target: '/etc/passwd', isTrap: true },
    { target: '../p/inside', isTrap: false },
    { target: 'inside', isTrap: false },
    { target: '/p/inside', isTrap: false },
  ])('a link to $target leads out: $isTrap', ({ target, isTrap }) => {
    const reason = reasonOf(change('link', { after: entry({ kind: 'symlink', target: target as Bytes }) }));
    expect(reason).toBe(isTrap ? 'a link that leads out of the directory' : undefined);
  });

  test.for([
    { before: '{"scripts":{"a":"b"}}', after: '{"scripts":{"a":"b"},"version":"2"}', isTrap: false },
    { before: '{"scripts":{"a":"b"}}', after: '{"scripts":{"a":"c"}}', isTrap: true },
    { before: '{}', after: '{"bin":"x.js"}', isTrap: true },
    { before: undefined, after: '{"scripts":{"postinstall":"x"}}', isTrap: true },
    { before: undefined, after: '{"name":"x"}', isTrap: false },
    { before: '{}', after: 'not json', isTrap: true },
    { before: '{}', after: 'null', isTrap: true },
    { before: 'broken', after: '{"name":"x"}', isTrap: false },
    { before: '{}', after: '{"scripts":{"__proto__":"x"}}', isTrap: true },
  ])('package.json from $before to $after is a trap: $isTrap', ({ before, after, isTrap }) => {
    const given = change('package.json', before === undefined ? {} : { type: '~', before: entry() });
    expect(reasonOf(given, before === undefined ? { after } : { before, after }) !== undefined).toBe(isTrap);
  });
});
