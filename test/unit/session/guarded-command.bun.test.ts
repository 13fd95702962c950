import { expect, test } from 'vitest';
import type { NonoError } from '../../../src/errors.ts';
import { encodeLine } from '../../../src/json-lines.ts';
import type { Orphans } from '../../../src/ports/orphans.ts';
import type { Pty, PtyStart } from '../../../src/ports/pty.ts';
import type { ProcessExit } from '../../../src/ports/spawn.ts';
import { GuardedCommand, StartedGuardian } from '../../../src/session/guarded-command.ts';
import { SAMPLE_LAUNCH } from '../../support/sample-start.ts';

/** A guardian that says what it is told to, and is dead once it is killed. */
function createGuarded() {
  const exited = Promise.withResolvers<ProcessExit>();
  const killed: number[] = [];
  let options: PtyStart | undefined;
  const pty = {
    pid: 7,
    exited: exited.promise,
    write() {},
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
  return { command, say: (bytes: Uint8Array) => options?.onMessage(bytes), killed, ends: () => ends };
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
