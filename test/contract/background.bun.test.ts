import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createBunBackground } from '../../src/platform/bun/background.ts';
import { startEarly } from '../../src/platform/bun/early-process.ts';
import { waitFor } from '../support/wait.ts';

const SCRIPT = 'echo begun >&3; read word <&3; echo "$word" >&3; read word <&3';

type Ending = 'is killed' | 'is told to end' | 'ends';

/** @returns all that the process has said, up to its end. */
function converse(ending: Ending): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const child = createBunBackground().start({
      file: '/bin/sh',
      arguments: ['-c', SCRIPT],
      environment: {},
      onMessage(data) {
        said += Buffer.from(data).toString();
        if (said === 'begun\n' && data.length > 0) child.send(Buffer.from('word\n'));
        else if (said === 'begun\nword\n' && data.length > 0) end();
        if (data.length > 0) return;
        // For nobody.
        child.send(Buffer.from('late\n'));
        child.close();
        resolve(said);
      },
    });
    const end = () => {
      if (ending === 'is killed') process.kill(child.pid, 'SIGKILL');
      else if (ending === 'is told to end') child.close();
      else child.send(Buffer.from('end\n'));
    };
  });
}

/** Says what it gets until it gets no more. */
const ECHO = { file: '/bin/sh', arguments: ['-c', 'cat <&3 >&3'], environment: {} } as const;

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a background process that was started early', () => {
  const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').map(Number);

  test('is taken over by whoever wants the same, once', async () => {
    const before = children();
    const background = createBunBackground(startEarly(ECHO));
    const early = children().filter((pid) => !before.includes(pid));
    expect(early).toHaveLength(1);
    const said = Promise.withResolvers<string>();
    const other = background.start({ ...ECHO, arguments: ['-c', 'cat <&3'], onMessage: () => undefined });
    const first = background.start({ ...ECHO, onMessage: (data) => said.resolve(Buffer.from(data).toString()) });
    const second = background.start({ ...ECHO, onMessage: () => undefined });
    first.send(Buffer.from('word'));

    expect(await said.promise).toBe('word');
    expect(first.pid).toBe(early[0]);
    expect(early).not.toContain(other.pid);
    expect(early).not.toContain(second.pid);
    for (const started of [other, first, second]) started.close();
    await waitFor('their end', () => children().every((pid) => before.includes(pid)));
  });

  test('that the system refuses is refused to whoever wants it', () => {
    const missing = { ...ECHO, file: '/nowhere/at/all' };
    const background = createBunBackground(startEarly(missing));

    expect(() => background.start({ ...missing, onMessage: () => undefined })).toThrow(/ENOENT/);
  });
});

describe('a background process', () => {
  test.for<Ending>(['is killed', 'is told to end', 'ends'])(
    'that %s has been talked with, and leaves no descriptor behind',
    async (ending) => {
      expect(await converse(ending)).toBe('begun\nword\n');
      const before = descriptors();
      for (let times = 0; times < 5; times++) await converse(ending);
      // The runtime closes those of its own a moment later.
      await waitFor('as many descriptors as before', () => descriptors() <= before);
    },
  );
});
