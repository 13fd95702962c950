import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paint } from '../../src/terminal/painter.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { createModel } from '../support/screens.ts';
import { TmuxPanes } from '../support/tmux-panes.ts';
import { tmuxStream } from '../support/tmux-streams.ts';
import { needCommands } from '../support/tools.ts';

const SIZE = { columns: 30, rows: 8 };
const STREAMS = 200;
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

function drawingOf(bytes: Uint8Array): Uint8Array {
  const model = createModel(SIZE, 200);
  model.write(bytes);
  return Buffer.concat(paint(model, { historyFrom: 0, isFirst: false }));
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

  test.for(DIFFERENCES)('except that tmux $what', async ({ stream }, context) => {
    needCommands(context, 'tmux');
    using scratch = createScratchDirectory();
    using panes = new TmuxPanes(scratch.path, SIZE);
    const bytes = Buffer.from(stream);

    const [direct, drawn] = await panes.show([bytes, drawingOf(bytes)]);

    expect(drawn).not.toBe(direct);
  });
});
