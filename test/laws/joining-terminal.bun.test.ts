import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinTerminal } from '../../src/platform/linux/joined-terminal.ts';
import { encodeServerMessage } from '../../src/session/messages.ts';
import { createAttached, typedOf } from '../support/attached-client.ts';
import { runs } from '../support/effort.ts';
import { streamPair } from '../support/joined.ts';
import { waitFor } from '../support/wait.ts';

const RUNS = { numRuns: runs(import.meta.url, 100) };
/** A key passes in some microseconds, where it may. */
const PASSING_MS = 3;
const PASSING_FOR_CERTAIN_MS = 5000;

/**
 * When something is typed: in some turn of the loop; when the client is about to hear of what was typed before; when it has
 * sent that; and when it has just let pass what comes next.
 */
type Moment = 'turn' | 'heard' | 'sent' | 'opened';
interface Typed {
  readonly at: Moment;
  readonly text: string;
}

const latin1 = (data: Uint8Array): string => Buffer.from(data).toString('latin1');

/** @returns what the supervisor was sent of what was typed in those moments, in this order. */
async function type(schedule: readonly Typed[], passingMs: number): Promise<string> {
  const [terminalFd, terminal] = streamPair();
  const [wireFd, wire] = streamPair();
  using _terminal = terminal;
  using _wire = wire;
  const left = [...schedule];
  /** Types what is due. What passes by the loop has come when this returns; what needs the loop has not. */
  const comes = (moment: Moment): void => {
    while (left[0]?.at === moment) {
      const before = wire.read().length;
      terminal.write(Buffer.from(left.shift()?.text ?? '', 'latin1'));
      if (moment === 'turn') continue;
      for (const end = performance.now() + passingMs; wire.read().length === before && performance.now() < end; );
    }
  };
  let joined: ReturnType<typeof joinTerminal>;
  const { client, link } = createAttached({
    terminal: terminalFd,
    wire: wireFd,
    takePending: () => joined?.relay.takePendingForTerminal(),
    follow: () => undefined,
    followJoined(handlers, { onIdle, ...join }) {
      const onInput = (data: Uint8Array): void => {
        comes('heard');
        handlers.onInput(data);
        comes('sent');
      };
      const opened = (): void => {
        onIdle();
        comes('opened');
      };
      joined = joinTerminal({ input: terminalFd, output: terminalFd }, { ...handlers, onInput }, { ...join, onIdle: opened });
      return joined?.shortcut;
    },
  });
  const ended = client.run(link);
  if (joined === undefined) throw new Error('Expected a terminal that can be joined');
  using _relay = joined.relay;
  const wanted = schedule.map(({ text }) => text).join('');
  for (let turns = 0; left.length > 0; turns++) {
    comes('turn');
    await turn();
    // Nothing is on its way that its moment could come with.
    if (turns % 20 === 19 && left[0] !== undefined) left[0] = { ...left[0], at: 'turn' };
  }
  await waitFor('what was typed', () => typedOf(wire.read()).length >= wanted.length);
  const got = latin1(typedOf(wire.read()));
  wire.write(encodeServerMessage({ kind: 'exit', end: { reason: 'detached', rowsBelow: 1 } }));
  await ended;
  return got;
}

describe('what is typed while a terminal is joined to its session', () => {
  test('comes after what made the client join it', async () => {
    const schedule: readonly Typed[] = [
      { at: 'turn', text: 'echo x' },
      { at: 'opened', text: '\r' },
    ];
    expect(await type(schedule, PASSING_FOR_CERTAIN_MS)).toBe('echo x\r');
  });

  test('comes once and in order, in whatever moments of it', async () => {
    const typed = fc.record({
      at: fc.constantFrom<Moment>('turn', 'heard', 'sent', 'opened'),
      text: fc.constantFrom('a', 'bc', '\r', '\x03', '\xc3\xa9', '\x1b[A', '\x1bOB', 'y'.repeat(3000)),
    });
    // Each is told from all others.
    const schedules = fc
      .array(typed, { minLength: 1, maxLength: 8 })
      .map((list) => list.map(({ at, text }, nth) => ({ at, text: `${nth}${text}` })));
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        expect(await type(schedule, PASSING_MS)).toBe(schedule.map(({ text }) => text).join(''));
      }),
      RUNS,
    );
  });
});
