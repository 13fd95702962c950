import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import { describeFailure, EXIT, NonoError } from '../../src/errors.ts';
import { encodeLine, LineReader } from '../../src/json-lines.ts';
import type { Pty, PtyStart } from '../../src/ports/pty.ts';
import type { ProcessExit } from '../../src/ports/spawn.ts';
import { GuardedCommand, StartedGuardian } from '../../src/session/guarded-command.ts';
import type { GuardianOrder, GuardianReport } from '../../src/session/guardian-wire.ts';
import { describeStartFailure, type StartFailure, type StartReport, startError } from '../../src/session/start-wire.ts';
import { runs } from '../support/effort.ts';
import { jsonMutations, mutate } from '../support/mutate.ts';
import { SAMPLE_LAUNCH, SAMPLE_START } from '../support/sample-start.ts';
import { cut } from '../support/terminal-streams.ts';

const RUNS = { numRuns: runs(import.meta.filename, 300) };
const SIGKILL = 9;

/** Any unit there is, halves of pairs and line separators among them. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\n', '\r', '"', '\\', '\0', '\x85', '\u2028', '\ud83e', '\udde2', '\xff'),
    fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
  ),
});
const bytes = fc.string({ unit: fc.nat(0xff).map((unit) => String.fromCharCode(unit)) }) as fc.Arbitrary<Bytes>;
const places = fc.array(fc.nat(), { maxLength: 8 });

const failure: fc.Arbitrary<StartFailure> = fc.record({
  code: fc.constantFrom('E_STATE' as const, 'E_SUPERVISOR' as const),
  exitCode: fc.constantFrom(EXIT.failure, EXIT.nonoFailed),
  message: text,
  hint: fc.option(text),
  causes: fc.array(text, { maxLength: 3 }),
});
const startReport: fc.Arbitrary<StartReport> = fc.oneof(
  fc.record({ kind: fc.constantFrom('listening' as const, 'ready' as const), id: text, name: text }),
  fc.record({ kind: fc.constant('progress' as const), line: text }),
  fc.record({ kind: fc.constant('status' as const), text: fc.option(text) }),
  fc.record({ kind: fc.constant('failed' as const), error: failure }),
);
/** Names, words and variables of any bytes. */
const launch = fc
  .record({ workingDirectory: bytes, command: fc.array(bytes), environment: fc.array(bytes) })
  .map((odd) => ({ ...SAMPLE_LAUNCH, ...odd }));
const start = fc
  .record({ launch, stateDirectory: bytes, homeDirectory: bytes, loneFiles: fc.array(bytes), terminal: fc.option(bytes) })
  .map((odd) => ({ ...SAMPLE_START, ...odd }));
const order: fc.Arbitrary<GuardianOrder> = fc.oneof(
  fc.record({ kind: fc.constant('launch' as const), launch, terminal: fc.option(bytes) }),
  fc.record({ kind: fc.constant('end' as const), graceMs: fc.nat() }),
  fc.record({ kind: fc.constant('answer' as const), data: fc.base64String() }),
);
const said = fc.array(fc.oneof(startReport, start, order), { minLength: 1, maxLength: 5 });

/** @returns what is read of pieces, up to the end or to what is no JSON. */
function readAll(pieces: readonly Uint8Array[]): readonly unknown[] {
  const lines = new LineReader<unknown>('the guardian');
  return pieces.flatMap((piece) => [...lines.push(piece)]);
}

describe('what starter, supervisor and guardian say to each other', () => {
  test('comes as it was said, wherever the stream was cut', () => {
    fc.assert(
      fc.property(said, places, (values, at) => {
        const stream = Buffer.concat(values.map(encodeLine));
        expect(readAll(cut(stream, at))).toEqual(values);
      }),
      RUNS,
    );
  });

  test('of one that was killed while it spoke comes all that it had said to the end', () => {
    fc.assert(
      fc.property(said, places, fc.nat(), (values, at, killed) => {
        const stream = Buffer.concat(values.map(encodeLine));
        const rest = stream.subarray(0, killed % (stream.length + 1));
        const whole = rest.filter((byte) => byte === 0x0a).length;
        expect(readAll(cut(rest, at))).toEqual(values.slice(0, whole));
      }),
      RUNS,
    );
  });

  test('that is damaged is read, or said to be damaged, soon', () => {
    fc.assert(
      fc.property(said, jsonMutations, places, (values, changes, at) => {
        const stream = mutate(Buffer.concat(values.map(encodeLine)), changes);
        try {
          readAll(cut(stream, at));
        } catch (error) {
          if (!(error instanceof NonoError)) throw error;
          expect(error.message).toContain('the guardian');
        }
      }),
      RUNS,
    );
  });

  test('of a failed start is what the supervisor would have said itself', () => {
    fc.assert(
      fc.property(failure, ({ message, hint, causes, code, exitCode }) => {
        const cause = causes.reduceRight<Error | undefined>((inner, words) => new Error(words, { cause: inner }), undefined);
        const thrown = new NonoError(code, exitCode, message, { hint: hint ?? undefined, cause });
        const [heard] = readAll([encodeLine(describeStartFailure(thrown))]);
        expect(describeFailure(startError(heard as StartFailure))).toEqual(describeFailure(thrown));
      }),
      RUNS,
    );
  });
});

/** A guardian that says what it is told to. */
function createGuardian() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let tell: PtyStart['onMessage'] = () => undefined;
  const pty = {
    exited: promise,
    pid: 7,
    write() {},
    send() {},
    resize() {},
    kill() {},
    [Symbol.dispose]() {},
  } as unknown as Pty;
  const guardian = new StartedGuardian(({ onMessage }) => {
    tell = onMessage;
    return pty;
  });
  return { guardian, say: (data: Uint8Array) => tell(data), end: resolve };
}

const exit: fc.Arbitrary<ProcessExit> = fc.oneof(
  fc.record({ code: fc.nat(255), signal: fc.constant(null) }),
  fc.record({ code: fc.constant(null), signal: fc.integer({ min: 1, max: 31 }) }),
);
const guardianReport: fc.Arbitrary<GuardianReport> = fc.oneof(
  fc.record({ kind: fc.constant('started' as const), pid: fc.nat() }),
  fc.constant({ kind: 'failed' as const, failure: { step: 'execute' as const, errno: 'ENOENT' } }),
  fc.record({ kind: fc.constant('stopped' as const), signal: fc.option(fc.integer({ min: 1, max: 31 })) }),
  fc.record({ kind: fc.constant('ended' as const), exit, refused: fc.base64String() }),
  fc.record({ kind: fc.constant('asked' as const), data: fc.base64String() }),
);

describe('a command', () => {
  test('whose guardian says anything in any order, and is killed while it speaks, starts or fails once, and has one end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(guardianReport, { maxLength: 8 }), places, fc.nat(), async (reports, at, killed) => {
        const { guardian, say, end } = createGuardian();
        const asked: Uint8Array[] = [];
        const stops: (number | null)[] = [];
        let endedAll = 0;
        const command = new GuardedCommand(
          guardian,
          { adopt: () => undefined, endAll: () => void (endedAll += 1) },
          {
            size: { columns: 80, rows: 24 },
            onOutput: () => undefined,
            onStopped: (signal) => void stops.push(signal),
            onQuestions: (data) => void asked.push(data),
          },
        );
        command.prepare(SAMPLE_LAUNCH);
        const launched = command.launch(null).catch((error: unknown) => error);
        const stream = Buffer.concat(reports.map(encodeLine));
        const rest = stream.subarray(0, killed % (stream.length + 1));
        const heard = reports.slice(0, rest.filter((byte) => byte === 0x0a).length);
        for (const piece of cut(rest, at)) say(piece);
        end();

        const first = heard.find(({ kind }) => kind === 'started' || kind === 'failed');
        if (first?.kind === 'started') expect(await launched).toBe(first.pid);
        else expect(await launched).toBeInstanceOf(NonoError);
        const last = heard.findLast((report) => report.kind === 'ended');
        expect(await command.ended()).toEqual(last?.exit ?? { code: null, signal: SIGKILL });
        // Nobody else is left that would.
        expect(endedAll).toBe(last === undefined ? 1 : 0);
        expect(stops).toEqual(heard.flatMap((report) => (report.kind === 'stopped' ? [report.signal] : [])));
        const questions = heard.flatMap((report) => (report.kind === 'asked' ? [Buffer.from(report.data, 'base64')] : []));
        expect(Buffer.concat(asked)).toEqual(Buffer.concat(questions));
      }),
      RUNS,
    );
  });
});
