import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createBunBackground } from '../../src/platform/bun/background.ts';
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

const descriptors = (): number => readdirSync('/proc/self/fd').length;

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
