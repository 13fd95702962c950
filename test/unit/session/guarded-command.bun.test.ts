import { expect, test } from 'vitest';
import type { NonoError } from '../../../src/errors.ts';
import { encodeLine } from '../../../src/json-lines.ts';
import type { Orphans } from '../../../src/ports/orphans.ts';
import type { Pty, PtyStart } from '../../../src/ports/pty.ts';
import type { Shortcut } from '../../../src/ports/shortcut.ts';
import type { Connection } from '../../../src/ports/socket.ts';
import type { ProcessExit } from '../../../src/ports/spawn.ts';
import { GuardedCommand, StartedGuardian } from '../../../src/session/guarded-command.ts';
import { SAMPLE_LAUNCH } from '../../support/sample-start.ts';

/** A guardian that says what it is told to, and is dead once it is killed. */
function createGuarded() {
  const exited = Promise.withResolvers<ProcessExit>();
  const killed: number[] = [];
  const typed: string[] = [];
  const opened: boolean[] = [];
  let options: PtyStart | undefined;
  const shortcut = {
    open: ({ toTerminal }) => void opened.push(toTerminal),
    close() {},
    isFenceDue: () => false,
    sendFence: () => false,
    fenceAnswered() {},
    answerFence: () => true,
    [Symbol.dispose]() {},
  } satisfies Shortcut;
  const pty = {
    pid: 7,
    exited: exited.promise,
    write: (data) => void typed.push(Buffer.from(data).toString()),
    join: () => shortcut,
    resize() {},
    send() {},
    kill(signal) {
      killed.push(signal);
      exited.resolve({ code: null, signal });
    },
    [Symbol.dispose]() {},
  } satisfies Pty;
  const guardian = new StartedGuardian((start) => {
    options = start;
    return pty;
  });
  let ends = 0;
  const orphans = { adopt() {}, endAll: () => (ends += 1) } as unknown as Orphans;
  const nothing = () => undefined;
  const command = new GuardedCommand(guardian, orphans, {
    size: { columns: 80, rows: 24 },
    onOutput: nothing,
    onStopped: nothing,
    onQuestions: nothing,
  });
  return { command, say: (bytes: Uint8Array) => options?.onMessage(bytes), killed, typed, opened, ends: () => ends };
}

const NONSENSE = Buffer.from('{"kind":"sta\n');

test('a guardian that says nonsense fails the start, which says so', async () => {
  const { command, say, killed } = createGuarded();
  command.prepare(SAMPLE_LAUNCH);
  const launched = command.launch(null);
  say(NONSENSE);
  await expect(launched).rejects.toThrow('Cannot understand the guardian');
  expect(killed).toEqual([9]);
});

test('what is typed before there is a command comes to it, and not to the guardian that leads its terminal', async () => {
  const { command, say, typed, opened } = createGuarded();
  command.prepare(SAMPLE_LAUNCH);
  const shortcut = command.join({} as Connection, () => undefined);
  const directions = { fromTerminal: true, toTerminal: true };
  command.type(Buffer.from('\x03'));
  const launched = command.launch(null);
  command.type(Buffer.from('first'));
  shortcut?.open(directions);
  expect([typed, opened, shortcut?.answerFence(Buffer.from('fence'))]).toEqual([[], [false], false]);

  say(encodeLine({ kind: 'started', pid: 8 }));
  await launched;
  command.type(Buffer.from('second'));
  shortcut?.open(directions);

  expect([typed, opened, shortcut?.answerFence(Buffer.from('fence'))]).toEqual([
    ['\x03', 'first', 'second'],
    [false, true],
    true,
  ]);
});

test('a guardian that says nonsense later is killed, the tree is ended without it, and the reason is kept', async () => {
  const { command, say, killed, ends } = createGuarded();
  command.prepare(SAMPLE_LAUNCH);
  const launched = command.launch(null);
  say(encodeLine({ kind: 'started', pid: 8 }));
  expect(await launched).toBe(8);
  say(NONSENSE);
  say(NONSENSE);
  expect(await command.ended()).toEqual({ code: null, signal: 9 });
  expect({ killed: killed[0], ends: ends() }).toEqual({ killed: 9, ends: 1 });
  expect((command.failure as NonoError).message).toContain('"{"kind":"sta"');
});
