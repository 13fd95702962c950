import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Pty, PtyStart, StartPty } from '../../src/ports/pty.ts';
import { waitFor } from '../support/wait.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Started {
  readonly pty: Pty;
  readonly output: () => string;
  readonly messages: () => string;
}

/** What every StartPty adapter owes its callers. @param isUsable False skips it: `name` then says why. */
export function describePtyContract(name: string, load: () => Promise<StartPty>, { isUsable = true } = {}): void {
  const start = async (script: string, options: Partial<PtyStart> = {}): Promise<Started> => {
    const pieces = { output: [] as Uint8Array[], messages: [] as Uint8Array[] };
    const pty = (await load())({
      file: '/bin/sh',
      arguments: ['-c', script],
      environment: {},
      columns: 80,
      rows: 24,
      onData: (data) => pieces.output.push(data.slice()),
      onMessage: (data) => pieces.messages.push(data.slice()),
      ...options,
    });
    const text = (of: keyof typeof pieces) => Buffer.concat(pieces[of]).toString('utf8');
    return { pty, output: () => text('output'), messages: () => text('messages') };
  };

  describe.skipIf(!isUsable)(`${name} pty`, () => {
    test('gives the process a terminal of the size asked for, and says how it ended', async () => {
      const { pty, output } = await start('stty size; exit 3', { columns: 101, rows: 33 });

      expect(await pty.exited).toEqual({ code: 3, signal: null });
      expect(output()).toBe('33 101\r\n');
    });

    test('types, resizes and tells of a signal', async () => {
      const { pty, output } = await start(
        'trap "stty size; kill -9 $$" WINCH; read line; echo "got $line"; while :; do read x; done',
      );
      pty.write(bytes('hello\r'));
      await waitFor('the line', () => output().includes('got hello'));
      pty.resize({ columns: 90, rows: 20 });

      expect(await pty.exited).toEqual({ code: null, signal: 9 });
      expect(output()).toContain('20 90');
    });

    test('types all of what the terminal does not take at once, in order', async () => {
      const pieces = Array.from({ length: 300 }, (_, at) => bytes(`${at} `.repeat(300).slice(0, 999)));
      const typed = Buffer.concat([...pieces, ...pieces]);
      const { pty, output } = await start(`stty raw -echo; echo ready; head -c ${typed.length} | sha256sum`);
      await waitFor('the reader', () => output().includes('ready'));
      for (const piece of pieces) pty.write(piece);
      // In the midst of what is on its way.
      await new Promise((resolve) => setImmediate(resolve));
      for (const piece of pieces) pty.write(piece);

      await pty.exited;
      expect(output()).toContain(createHash('sha256').update(typed).digest('hex'));
    });

    test('is with the process on descriptor 3 in both directions', async () => {
      const { pty, messages } = await start('read line <&3; echo "back: $line" >&3');
      pty.send(bytes('forth\n'));

      await pty.exited;
      expect(await waitFor('the message', () => messages().includes('\n') && messages())).toBe('back: forth\n');
    });

    test('gives all of the output before it says that the process ended', async () => {
      const { pty, output } = await start('i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i + 1)); done');

      await pty.exited;
      expect(output()).toContain('line 1999\r\n');
    });

    test('ends although a process that was left behind holds the terminal', async () => {
      const { pty } = await start('trap "" HUP; sleep 3 &');

      expect(await pty.exited).toEqual({ code: 0, signal: null });
    });
  });
}
