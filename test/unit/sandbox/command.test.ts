import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { EXIT } from '../../../src/errors.ts';
import { findCommand } from '../../../src/sandbox/command.ts';
import { fakeWorld, withPath } from './fake-facts.ts';

describe('findCommand()', () => {
  test('walks PATH like execvp(3), the empty entry being the working directory', () => {
    const world = fakeWorld(['/home/u/project/tool', '/usr/bin/tool'], withPath('', '/usr/bin'));

    expect(findCommand('tool' as Bytes, world).executables).toEqual(['/home/u/project/tool']);
  });

  test('keeps later candidates while permissions may refuse the first', () => {
    const world = fakeWorld(['!/opt/a/tool', '/usr/bin/tool', '/opt/b/tool'], withPath('/opt/a', '/usr/bin', '/opt/b'));

    expect(findCommand('tool' as Bytes, world).executables).toEqual(['/opt/a/tool', '/usr/bin/tool']);
  });

  test('follows links and interpreters, through env too', () => {
    const world = fakeWorld(
      ['/opt/lib/tool.js = #!/usr/bin/env -S node --flag\n', '/opt/bin/tool -> ../lib/tool.js', '/opt/node/bin/node'],
      withPath('/opt/bin', '/opt/node/bin', '/usr/bin'),
    );

    expect(findCommand('tool' as Bytes, world).chain.map(({ resolved }) => resolved)).toEqual([
      '/opt/lib/tool.js',
      '/usr/bin/env',
      '/opt/node/bin/node',
    ]);
  });

  test('ends at a circle of interpreters', () => {
    const world = fakeWorld(['/opt/a = #!/opt/b\n', '/opt/b = #!/opt/a\n']);

    expect(findCommand('/opt/a' as Bytes, world).chain).toHaveLength(2);
  });

  test.for([
    { name: 'nothing', code: 'E_COMMAND_NOT_FOUND', exitCode: EXIT.commandNotFound },
    { name: './nothing', code: 'E_COMMAND_NOT_FOUND', exitCode: EXIT.commandNotFound },
    { name: '/opt', code: 'E_CANNOT_EXECUTE', exitCode: EXIT.cannotExecute },
    { name: '/opt/orphan', code: 'E_CANNOT_EXECUTE', exitCode: EXIT.cannotExecute },
  ])('fails for $name with $code', ({ name, code, exitCode }) => {
    const world = fakeWorld(['/opt/orphan = #!/gone\n']);

    expect(() => findCommand(name as Bytes, world)).toThrow(expect.objectContaining({ code, exitCode }));
  });
});
