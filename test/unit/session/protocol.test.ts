import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  type ServerMessage,
} from '../../../src/session/messages.ts';
import { encodeFrame, FRAME, FrameDecoder, PAYLOAD_BYTES_MAXIMUM, ProtocolError } from '../../../src/session/protocol.ts';
import { DECISIONS } from '../../../src/session/question.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const data = fc.uint8Array({ maxLength: 3000 });
const cells = fc.integer({ min: 1, max: 10_000 });
const size = fc.record({ columns: cells, rows: cells }).filter(({ columns, rows }) => columns * rows <= 1_000_000);

const number = fc.nat({ max: 0xffffffff });

const clientMessage: fc.Arbitrary<ClientMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    mode: fc.constantFrom('attach' as const, 'steal' as const, 'view' as const, 'control' as const),
    size,
    terminal: text,
    capabilities: fc.array(text, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('data' as const), data }),
  fc.record({ kind: fc.constant('resize' as const), size }),
  fc.constant({ kind: 'detach' as const }),
  fc.record({ kind: fc.constantFrom('typedFence' as const, 'shownAnswer' as const), number }),
  fc.record({
    kind: fc.constant('request' as const),
    request: fc.oneof(
      fc.record({ verb: fc.constant('stop' as const), timeoutMs: fc.nat(86_400_000) }),
      fc.record({ verb: fc.constant('rename' as const), name: text }),
      fc.record({ verb: fc.constant('send' as const), data }),
      fc.record({ verb: fc.constantFrom('status' as const, 'detach' as const) }),
      fc.record({ verb: fc.constant('approvals' as const), since: fc.option(fc.nat(), { nil: undefined }) }),
      fc.record({
        verb: fc.constant('decide' as const),
        number: fc.nat(),
        decision: fc.constantFrom(...DECISIONS),
        note: fc.option(text),
      }),
    ),
  }),
);

const serverMessage: fc.Arbitrary<ServerMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('welcome' as const),
    sessionId: text,
    name: text,
    status: text,
    capabilities: fc.array(text, { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constantFrom('shownFence' as const, 'typedAnswer' as const), number }),
  fc.record({ kind: fc.constantFrom('output' as const, 'redraw' as const), data }),
  fc.record({
    kind: fc.constant('exit' as const),
    end: fc.oneof(
      fc.record({ reason: fc.constant('ended' as const), exitCode: fc.nat(), signal: fc.option(text) }),
      fc.record({
        reason: fc.constantFrom('detached' as const, 'stolen' as const, 'slow' as const),
        rowsBelow: fc.nat({ max: 10_000 }),
      }),
    ),
  }),
  fc.record({ kind: fc.constant('error' as const), code: fc.constantFrom('busy' as const, 'failed' as const), message: text }),
  fc.record({ kind: fc.constant('answer' as const), status: text, attachment: text, changed: fc.boolean() }),
  fc.record({ kind: fc.constant('progress' as const), message: text }),
  fc.constant({ kind: 'stopped' as const }),
);

/** Feeds `stream` in pieces that end at `cuts`. */
function decodeAll(stream: Uint8Array, cuts: readonly number[]) {
  const decoder = new FrameDecoder();
  const ends = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort((a, b) => a - b);
  let from = 0;
  return ends.flatMap((end) => {
    const piece = stream.subarray(from, end);
    from = end;
    return [...decoder.push(piece)];
  });
}

describe('FrameDecoder', () => {
  test('gives the messages of a client back, however the stream was split', () => {
    fc.assert(
      fc.property(fc.array(clientMessage, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 30 }), (messages, cuts) => {
        const stream = new Uint8Array(Buffer.concat(messages.map(encodeClientMessage)));

        expect(decodeAll(stream, cuts).map(decodeClientMessage)).toEqual(messages);
      }),
    );
  });

  test('gives the messages of a supervisor back, also byte by byte', () => {
    fc.assert(
      fc.property(fc.array(serverMessage, { maxLength: 4 }), (messages) => {
        const stream = new Uint8Array(Buffer.concat(messages.map(encodeServerMessage)));
        const everywhere = Array.from(stream, (_, at) => at);

        expect(decodeAll(stream, everywhere).map(decodeServerMessage)).toEqual(messages);
      }),
    );
  });

  test('takes any bytes for frames or refuses them, and does nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (stream) => {
        try {
          for (const frame of new FrameDecoder().push(stream)) decodeClientMessage(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });

  test('takes any payload for a message or refuses it, and does nothing else', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((json) => new Uint8Array(Buffer.from(json))),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(FRAME)), payload, (type, bytes) => {
        for (const decode of [decodeClientMessage, decodeServerMessage]) {
          try {
            decode({ type, payload: bytes });
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
    );
  });

  test.for([
    {},
    { number: -1, decision: 'once' },
    { number: 1.5, decision: 'once' },
    { number: '1', decision: 'once' },
    { number: 1e300, decision: 'once' },
    { number: 1, decision: 'always' },
    { number: 1, decision: ['once'] },
    { number: 1, decision: 'constructor' },
    { number: 1, decision: 'once', note: {} },
  ])('refuses an answer that is none: %j', (fields) => {
    const payload = new Uint8Array(Buffer.from(JSON.stringify({ verb: 'decide', ...fields })));

    expect(() => decodeClientMessage({ type: FRAME.request, payload })).toThrow(ProtocolError);
  });

  test.for([
    { wrong: 'another version', at: 0, value: 2 },
    { wrong: 'a version before the first', at: 0, value: 0 },
    { wrong: 'an unknown type', at: 1, value: 99 },
    { wrong: 'a reserved byte', at: 2, value: 1 },
    { wrong: 'the other reserved byte', at: 3, value: 1 },
    { wrong: 'more bytes than a frame may have', at: 7, value: 1 },
  ])('refuses $wrong as soon as it is seen', ({ at, value }) => {
    const frame = encodeFrame({ type: FRAME.data, payload: new Uint8Array(3) });
    frame[at] = value;

    expect(() => [...new FrameDecoder().push(frame.subarray(0, Math.max(at + 1, at > 3 ? 8 : 0)))]).toThrow(ProtocolError);
  });

  test('takes the longest frame, and knows when it is in the middle of one', () => {
    const decoder = new FrameDecoder();
    const frame = encodeFrame({ type: FRAME.data, payload: new Uint8Array(PAYLOAD_BYTES_MAXIMUM).fill(7) });

    expect([...decoder.push(frame.subarray(0, 1000))]).toEqual([]);
    expect(decoder.isBetweenFrames).toBe(false);
    const [found] = [...decoder.push(frame.subarray(1000))];
    expect(found?.payload.length).toBe(PAYLOAD_BYTES_MAXIMUM);
    expect(decoder.isBetweenFrames).toBe(true);
    expect(() => encodeFrame({ type: FRAME.data, payload: new Uint8Array(PAYLOAD_BYTES_MAXIMUM + 1) })).toThrow(RangeError);
  });

  test.for([
    { fields: {}, about: 'nothing in it' },
    { fields: { mode: 'attach', columns: 0, rows: 24, terminal: 'x', capabilities: [] }, about: 'no columns' },
    { fields: { mode: 'attach', columns: 80.5, rows: 24, terminal: 'x', capabilities: [] }, about: 'half a column' },
    { fields: { mode: 'attach', columns: 80, rows: 1e9, terminal: 'x', capabilities: [] }, about: 'too many rows' },
    { fields: { mode: 'root', columns: 80, rows: 24, terminal: 'x', capabilities: [] }, about: 'an unknown mode' },
    {
      fields: { mode: 'view', columns: 80, rows: 24, terminal: 'x', capabilities: 'all' },
      about: 'capabilities that are no list',
    },
  ])('refuses a hello with $about', ({ fields }) => {
    const payload = new Uint8Array(Buffer.from(JSON.stringify(fields)));

    expect(() => decodeClientMessage({ type: FRAME.hello, payload })).toThrow(ProtocolError);
  });
});
