import { expect, test } from 'vitest';
import { loadedWith } from '../../support/loaded-with.ts';

test('who attaches waits neither for the model of the terminal nor for the tables of other verbs', () => {
  const loaded = [...loadedWith('commands/session/attach.ts'), ...loadedWith('platform/start.ts')];

  expect(loaded).toContain('session/attach-client.ts');
  expect(loaded).toContain('cli.ts');
  expect(loaded.filter((path) => /xterm|terminal\/model|commands\/index|cli-verbs|rollback\/review/.test(path))).toEqual([]);
  // What it would have been: the test sees what is loaded.
  expect([...loadedWith('commands/session/screen.ts')]).toContain('@xterm/headless');
});
