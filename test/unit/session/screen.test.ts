import { describe, expect, test } from 'vitest';
import { SessionScreen } from '../../../src/session/screen.ts';
import * as drawing from '../../../src/terminal/drawing.ts';
import { IDLE_MEMORY } from '../../support/screens.ts';
import { countTurns } from '../../support/turns.ts';

function createScreen(nowMs = () => 0) {
  const answers: string[] = [];
  const screen = new SessionScreen({
    size: { columns: 20, rows: 5 },
    scrollbackLines: 10,
    load: () => Promise.resolve(drawing),
    memory: IDLE_MEMORY,
    answer: (data) => answers.push(Buffer.from(data).toString('latin1')),
    nowMs,
  });
  const settle = () => new Promise<void>((resolve) => screen.whenReached(() => resolve()));
  return { screen, answers, settle, write: (text: string, reader?: object) => screen.output(Buffer.from(text), reader) };
}

describe('SessionScreen', () => {
  test('answers for the terminal while nobody shows the output', async () => {
    const { answers, settle, write } = createScreen();
    write('ab\x1b[6n\x1b[?u');
    await settle();

    expect(answers).toEqual(['\x1b[1;3R', '\x1b[?0u']);
  });

  test('leaves the answer to the terminal that shows the question', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('\x1b[6n', reader);
    await settle();
    screen.typed(reader, Buffer.from('\x1b[9;9R'));
    screen.left(reader);

    expect(answers).toEqual([]);
  });

  test('answers once what a terminal that has left did not', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('\x1b[c\x1b[6n', reader);
    await settle();
    screen.typed(reader, Buffer.from('\x1b[?1;2c'));
    screen.left(reader);
    await settle();

    expect(answers).toEqual(['\x1b[1;1R']);
  });

  test('answers a question that was shown and parsed only after its terminal had left', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('\x1b[5n', reader);
    screen.left(reader);
    await settle();

    expect(answers).toEqual(['\x1b[0n']);
  });

  test('leaves a question that it parses only now to the terminal that has answered it already', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('\x1b[?6n\x1b[c\x1b[>q\x1b[6n', reader);
    screen.typed(reader, Buffer.from('\x1b[?1;2c\x1bP>|terminal\x1b\\'));
    await settle();
    screen.left(reader);

    expect(answers).toEqual(['\x1b[1;1R']);
  });

  test('takes the answer of a terminal that has left meanwhile for that of what it parses only now', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('\x1b[c\x1b[5n', reader);
    screen.typed(reader, Buffer.from('\x1b[?1;2c'));
    screen.left(reader);
    await settle();

    expect(answers).toEqual(['\x1b[0n']);
  });

  test('takes no answer for that of a question which was shown later', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('nothing is asked', reader);
    screen.typed(reader, Buffer.from('\x1b[?1;2c\x1b[?1;2c'));
    await settle();
    write('\x1b[c', reader);
    await settle();
    screen.left(reader);

    expect(answers).toEqual(['\x1b[?62;22c']);
  });

  test('keeps what is in the clipboard to itself, whoever shows the question', async () => {
    const { screen, answers, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('\x1b]52;c;?\x07', reader);
    await settle();

    expect(answers).toEqual(['\x1b]52;c;\x1b\\']);
  });

  test('tells where the output was when it was asked, and hands over what came since', async () => {
    const { screen, settle, write } = createScreen();
    const reader = {};
    screen.joined(reader);
    write('before');
    const seen = new Promise<{ x: number; rest: string }>((resolve) => {
      screen.whenReached((model) =>
        resolve({ x: model.buffers.active.x, rest: Buffer.concat(screen.handOver(reader)).toString() }),
      );
    });
    write(' after');

    expect(await seen).toEqual({ x: 6, rest: ' after' });
    await settle();
  });

  test('lets others have the loop while it parses what takes long', async () => {
    let now = 0;
    // Each look at the clock is three milliseconds after the last one: a slice is over after one piece.
    const { screen, settle, write } = createScreen(() => (now += 3));
    write('first');
    await settle();
    const pieces = 8;
    write('y\r\n'.repeat((pieces * 8 * 1024) / 3));
    const turns = countTurns();
    await new Promise<void>((resolve) => screen.whenReached(() => resolve()));

    expect(turns.stop()).toBeGreaterThanOrEqual(pieces);
  });
});
