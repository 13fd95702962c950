import type { TerminalSize } from '../ports/pty.ts';
import { type ClientMessage, decodeClientMessage } from './messages.ts';
import type { Frame } from './protocol.ts';
import { isSameSize } from './terminal-size.ts';

/** What came in one frame. */
interface Received {
  readonly message: ClientMessage;
  /** Of its payload. */
  readonly bytes: number;
}

interface LastSize {
  readonly received: Received;
  readonly size: TerminalSize;
  /** The size that the session had before the first of them came. */
  readonly before: TerminalSize;
  readonly isAsking: boolean;
}

/**
 * What a client says. Of sizes that follow one another only the last counts: each costs a drawing of the whole history, and thousands of them come at once from a client
 * whose window is dragged while the session is busy. A size that the session has already asks for a drawing: where one of them did, the last comes
 * so that it asks too.
 *
 * @param sizeNow Of the session.
 * @throws {ProtocolError} at the first frame that no client sends.
 */
export function* lastSizes(frames: Iterable<Frame>, sizeNow: () => TerminalSize): Generator<Received, void, undefined> {
  let last: LastSize | undefined;
  for (const frame of frames) {
    const message = decodeClientMessage(frame);
    const one = { message, bytes: frame.payload.length };
    if (message.kind === 'resize') {
      const before = last?.before ?? sizeNow();
      const isSame = isSameSize(last?.size ?? before, message.size);
      last = { received: one, size: message.size, before, isAsking: isSame || (last?.isAsking ?? false) };
      continue;
    }
    yield* repeated(last);
    last = undefined;
    yield one;
  }
  yield* repeated(last);
}

/** The first time another size is only taken. */
function repeated(last: LastSize | undefined): readonly Received[] {
  if (last === undefined) return [];
  const isTwice = last.isAsking && !isSameSize(last.size, last.before);
  return isTwice ? [last.received, last.received] : [last.received];
}
