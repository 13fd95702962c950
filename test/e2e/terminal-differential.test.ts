import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { createModel, painted } from '../support/screens.ts';
import { readRecord, startScript } from '../support/sessions.ts';
import { TmuxPanes, withEnd } from '../support/tmux-panes.ts';
import { tmuxStream } from '../support/tmux-streams.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const SIZE = { columns: 30, rows: 8 };
const STREAMS = 200;
/** Of them so many by sessions, each a few processes. */
const ATTACHED_STREAMS = Number(process.env['NONO_STREAMS'] ?? 10);
/** Panes that are open at once. */
const BATCH = 10;
/** Of the streams: the same in each run. */
const SEED = 20_250_701;

/** What tmux does otherwise than xterm and xterm.js; the streams above have none of it. */
const DIFFERENCES = [
  { what: 'leaves the cursor in its column when lines are deleted', stream: 'hello\x1b[1M' },
  { what: 'inserts lines on the whole screen with the cursor outside the scroll region', stream: 'hello\x1b[2;4r\x1b[1L' },
  { what: 'restores no cursor when the alternate screen is left that is not on', stream: '\x1b[3;3Hx\x1b[?1049l' },
];

/** Of emoji, flags, wide characters, marks and what is written from right to left the width is agreed on. */
const AGREED_ROWS = 6;
const AGREED = [
  '👍',
  '👩‍👩‍👧‍👦',
  '🇩🇪',
  '🏽',
  '⌚',
  '☺',
  '✔\ufe0e',
  '日本',
  '각',
  'ก็',
  'e\u0301\u0302',
  'a\u200d',
  'שלום',
  'مرحبا',
  'ｱ',
  '㍿',
  '𝕏',
];

/**
 * Characters of which terminals disagree how wide they are: xterm.js with its table of grapheme clusters (Unicode 15) and tmux, by their columns. Others in
 * tmux 3.3 than in tmux 3.6, which knows more of them. What follows one in a drawing stands where the model has it.
 */
const DISAGREED = [
  { what: 'an emoji by its variation selector', text: '❤\ufe0f', columns: 2, tmux: [1, 2] },
  { what: 'a keycap', text: '1\ufe0f\u20e3', columns: 2, tmux: [1, 2] },
  { what: 'a flag of several characters', text: '🏳\ufe0f\u200d🌈', columns: 2, tmux: [1, 2] },
  { what: 'an emoji with a colour of skin', text: '👍🏽', columns: 2, tmux: [4, 2] },
  { what: 'two people with theirs', text: '🧑🏻\u200d🤝\u200d🧑🏿', columns: 2, tmux: [6, 4, 2] },
  { what: 'a vowel that follows its consonants', text: 'क्षि', columns: 2, tmux: [3, 2] },
  { what: 'an emoji of Unicode 15', text: '\u{1fabf}', columns: 1, tmux: [0, 1, 2] },
  { what: 'a space without width', text: '\u200b', columns: 1, tmux: [0, 1] },
];

function drawingOf(bytes: Uint8Array): Uint8Array {
  const model = createModel(SIZE, 200);
  model.write(bytes);
  return Buffer.concat(painted(model, { historyFrom: 0, isFirst: false }));
}

/** It writes when its terminal has the size of the pane. */
function startWriting(world: World, name: string, bytes: Uint8Array): Promise<string> {
  writeFileSync(join(world.project, name), withEnd(bytes));
  const untilSized = `until [ "$(stty size)" = '${SIZE.rows} ${SIZE.columns}' ]; do sleep 0.05; done`;
  return startScript(world, `stty raw -echo; ${untilSized}; cat ${name}; exec sleep 1000`);
}

describe('A pane of tmux shows the same', () => {
  test('when it reads what a program writes and when it is drawn what the model made of it', async (context) => {
    needCommands(context, 'tmux');
    using scratch = createScratchDirectory();
    using panes = new TmuxPanes(scratch.path, SIZE);
    const streams = fc.sample(tmuxStream, { numRuns: STREAMS, seed: SEED });
    for (let at = 0; at < streams.length; at += BATCH) {
      const batch = streams.slice(at, at + BATCH);
      const shown = await panes.show([...batch, ...batch.map(drawingOf)]);
      batch.forEach((bytes, index) => {
        expect({ bytes: String(bytes), shown: shown[index + batch.length] }).toEqual({
          bytes: String(bytes),
          shown: shown[index],
        });
      });
    }
  });

  test('when it reads what a program writes and when it attaches to a session of it', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    using scratch = createScratchDirectory();
    using panes = new TmuxPanes(scratch.path, SIZE);
    const streams = fc.sample(tmuxStream, { numRuns: ATTACHED_STREAMS, seed: SEED + 1 });
    const attach = (id: string) => `NONO_HOME=${world.state} HOME=${world.home} exec ${world.executable} attach ${id}`;
    for (let first = 0; first < streams.length; first += BATCH) {
      const batch = streams.slice(first, first + BATCH);
      const direct = await panes.show(batch);
      const sessions = await Promise.all(batch.map((bytes, at) => startWriting(world, `stream-${first + at}`, bytes)));

      const live = await panes.run(sessions.map(attach));
      await waitFor('all to be detached', () => sessions.every((id) => readRecord(world, id).attachment === 'detached'));
      const again = await panes.run(sessions.map(attach));

      batch.forEach((bytes, at) => {
        const expected = { bytes: String(bytes), live: direct[at], again: direct[at] };
        expect({ bytes: String(bytes), live: live[at], again: again[at] }).toEqual(expected);
      });
      await runNono(world, ['stop', '--force', ...sessions]);
    }
  });

  test.for(DIFFERENCES)('except that tmux $what', async ({ stream }, context) => {
    needCommands(context, 'tmux');
    using scratch = createScratchDirectory();
    using panes = new TmuxPanes(scratch.path, SIZE);
    const bytes = Buffer.from(stream);

    const [direct, drawn] = await panes.show([bytes, drawingOf(bytes)]);

    expect(drawn).not.toBe(direct);
  });

  test('of emoji, flags, wide characters, marks and what is written from right to left', async (context) => {
    needCommands(context, 'tmux');
    using scratch = createScratchDirectory();
    using panes = new TmuxPanes(scratch.path, SIZE);
    const streams = [];
    for (let at = 0; at < AGREED.length; at += AGREED_ROWS)
      streams.push(Buffer.from(AGREED.slice(at, at + AGREED_ROWS).join('x\r\n')));

    const shown = await panes.show([...streams, ...streams.map(drawingOf)]);

    expect(shown.slice(streams.length)).toEqual(shown.slice(0, streams.length));
  });

  test('except where terminals disagree how wide a character is: what follows it in a drawing is where the model has it', async (context) => {
    needCommands(context, 'tmux');
    using scratch = createScratchDirectory();
    using panes = new TmuxPanes(scratch.path, SIZE);
    const streams = DISAGREED.map(({ text }) => Buffer.from(`${text}x`));

    const shown = await panes.show([...streams, ...streams.map(drawingOf)]);

    const columns = shown.map((pane) => Number(/cursor_x=(?<column>\d+)/.exec(pane)?.groups?.['column']) - 1);
    DISAGREED.forEach(({ what, columns: drawn, tmux }, at) => {
      expect({ what, drawn: columns[at + DISAGREED.length] }).toEqual({ what, drawn });
      expect({ what, tmux: columns[at] }).toEqual({ what, tmux: tmux.find((column) => column === columns[at]) });
    });
  });
});
