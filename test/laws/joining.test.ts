import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { createModel, describeScreen, lastBlankOrSpace } from '../support/screens.ts';
import { connectionTo, createShown } from '../support/shown-session.ts';
import { cut, stream } from '../support/terminal-streams.ts';

interface Row {
  readonly cells: readonly string[];
  readonly isWrapped: boolean;
}

const RUNS = { numRuns: runs(import.meta.filename, 300) };
const SIZE = { columns: 20, rows: 6 };
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';
const LONG_MS = 10_000;

const time = { ms: 0 };

function createSession() {
  time.ms = 0;
  return createShown(SIZE, 50, () => time.ms);
}

/** Shows what it has got so far when no synchronized update is on, as terminals do that draw a frame now and then. */
class UpdatingTerminal {
  readonly model = createModel(SIZE, 200);
  #shown: Record<string, unknown> = {};

  readonly connection = connectionTo((data) => {
    this.model.write(data);
    if (!this.model.ledger.isOn(2026)) this.#shown = describeScreen(this.model);
  });

  /** @param isMuchLater It has ended by itself an update that goes on. */
  shown({ isMuchLater = false } = {}): Record<string, unknown> {
    if (isMuchLater) {
      this.model.ledger.endUpdate();
      this.#shown = describeScreen(this.model);
    }
    return this.#shown;
  }
}

async function join({ before, after }: { readonly before: Uint8Array; readonly after: readonly Uint8Array[] }) {
  const { screen, displays } = createSession();
  const terminal = new UpdatingTerminal();
  const reached = () =>
    new Promise<Record<string, unknown>>((resolve) => screen.whenReached((model) => resolve(describeScreen(model))));
  if (before.length > 0) displays.output(before);
  displays.addTerminal(terminal.connection, { isFresh: false, historyLines: undefined, terminalId: undefined });
  // Some of it comes before the terminal was drawn, some after.
  for (const [at, piece] of after.entries()) {
    if (piece.length > 0) displays.output(piece);
    if (at === 0) await reached();
  }
  return { model: await reached(), terminal, reached, displays };
}

const plain = fc.constantFrom(
  'hello',
  '日本',
  'x\r\n',
  '\r\n\r\n',
  '\x1b[2J\x1b[H',
  '\x1b[3;4H',
  '\x1b[31m',
  '\x1b[m',
  '\x1b[K',
  '\x1b[?25l',
);
const updates = fc
  .array(fc.tuple(fc.boolean(), fc.array(plain, { maxLength: 6 })), { minLength: 1, maxLength: 6 })
  .map((frames) =>
    Buffer.from(frames.map(([isUpdate, texts]) => (isUpdate ? `${BEGIN}${texts.join('')}${END}` : texts.join(''))).join('')),
  );

describe('L11: a terminal that joins', () => {
  test('at any byte of what is drawn in synchronized updates shows what the model does, when all of it has come', async () => {
    await fc.assert(
      fc.asyncProperty(updates, fc.nat(), fc.nat(), async (bytes, place, other) => {
        const [before = new Uint8Array(), ...after] = cut(bytes, [place, other]);
        const { model, terminal } = await join({ before, after });

        expect(withoutUsersOwn(terminal.shown(), model)).toEqual(model);
      }),
      RUNS,
    );
  });

  test('between the last character of an update and its end, which is the last that is written, shows it', async () => {
    const { model, terminal } = await join({ before: Buffer.from(`${BEGIN}\x1b[Hinnermost`), after: [Buffer.from(END)] });

    expect(withoutUsersOwn(terminal.shown(), model)).toEqual(model);
    expect(JSON.stringify(terminal.shown())).toContain('i|1');
  });

  test('an update that is never ended is shown what there is, when it has waited for long enough', async () => {
    await fc.assert(
      fc.asyncProperty(stream, fc.array(plain), async (first, texts) => {
        const after = [Buffer.from(texts.join(''))];
        const { model, terminal } = await join({ before: Buffer.concat([first, Buffer.from(BEGIN)]), after });

        expect(modesApart(withoutUsersOwn(terminal.shown({ isMuchLater: true }), model))).toEqual(modesApart(model));
      }),
      RUNS,
    );
  });

  test('long after an update that was never ended shows what there is at once', async () => {
    const { displays, reached } = await join({ before: Buffer.from(`${BEGIN}half`), after: [] });
    time.ms += LONG_MS;
    const late = new UpdatingTerminal();
    displays.addTerminal(late.connection, { isFresh: false, historyLines: undefined, terminalId: undefined });
    const model = await reached();

    expect(withoutUsersOwn(late.shown(), model)).toEqual(model);
    expect(JSON.stringify(late.shown())).toContain('h|1');
  });
});

/** What was on the user's screen before is in the scrollback above. */
function withoutUsersOwn(shown: Record<string, unknown>, model: Record<string, unknown>): Record<string, unknown> {
  return { ...shown, normal: (shown['normal'] as readonly unknown[]).slice(-(model['normal'] as readonly unknown[]).length) };
}

/** Also without marks: those of a row that goes on and goes on from another are not drawn, and an update may make it a row of its own. */
function modesApart({ modes, normal, alternate, ...rest }: Record<string, unknown>): unknown {
  const likened = (rows: unknown) =>
    (rows as readonly Row[] | undefined)?.map(({ cells, isWrapped }) => ({ isWrapped, cells: lastBlankOrSpace(cells) }));
  return {
    ...rest,
    normal: likened(normal),
    alternate: likened(alternate),
    modes: (modes as readonly (readonly [number, boolean])[]).filter(([mode]) => mode !== 2026),
  };
}
