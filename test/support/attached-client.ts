import { writeAll } from '../../src/platform/linux/channel.ts';
import type { UserTerminal } from '../../src/ports/user-terminal.ts';
import { AttachClient } from '../../src/session/attach-client.ts';
import { type ClientMessage, decodeServerMessage, encodeClientMessage } from '../../src/session/messages.ts';
import { FRAME, FrameDecoder } from '../../src/session/protocol.ts';
import { LentConnection } from './joined.ts';

interface Ends {
  /** Of the user's terminal and of the connection to the supervisor; of streamPair(). */
  readonly terminal: number;
  readonly wire: number;
  readonly follow: UserTerminal['follow'];
  readonly followJoined: NonNullable<UserTerminal['followJoined']>;
  /** What is written to the terminal and has not been written yet. */
  readonly takePending: () => Uint8Array | undefined;
  readonly onWrite?: (data: Uint8Array) => void;
  /** Its loop has to look at something. */
  readonly onReceive?: () => void;
  /** Else no time goes by. */
  readonly monotonicMs?: () => number;
}

/** The client of a session between two descriptors, and what gives it what came from the supervisor. */
export function createAttached(ends: Ends) {
  const terminal: UserTerminal = {
    size: () => ({ columns: 80, rows: 24 }),
    identity: () => undefined,
    settings: () => '' as never,
    enterRaw: () => undefined,
    leaveRaw: () => undefined,
    ifKilled: () => undefined,
    write(data) {
      ends.onWrite?.(data);
      writeAll(ends.terminal, Uint8Array.from(ends.takePending() ?? new Uint8Array()));
      writeAll(ends.terminal, Uint8Array.from(data));
    },
    watch: () => undefined,
    follow: ends.follow,
    followJoined: ends.followJoined,
    [Symbol.dispose]: () => undefined,
  };
  const client = new AttachClient(terminal, {
    mode: 'attach',
    status: undefined,
    farewell: '',
    detachKeys: ['ctrl-]', 'd'],
    followAfterMs: 0,
    historyLines: undefined,
    terminalName: 'xterm',
    clock: { nowMs: () => 0, monotonicMs: ends.monotonicMs ?? (() => 0), utcOffsetMinutes: () => 0 },
    stopGroup: () => undefined,
    isInForeground: () => true,
  });
  const decoder = new FrameDecoder();
  const receive = (data: Uint8Array): void => {
    ends.onReceive?.();
    for (const frame of decoder.push(data)) client.handlers.onMessage(decodeServerMessage(frame));
  };
  const connection = new LentConnection(ends.wire, { onData: receive, onDrain: () => undefined, onClose: () => undefined });
  const link = {
    connection,
    send: (message: ClientMessage) => connection.write(encodeClientMessage(message)),
    isBetweenFrames: () => decoder.isBetweenFrames,
  };
  return { client, link, receive };
}

/** What a client has sent of what was typed. */
export function typedOf(stream: Uint8Array): Uint8Array {
  const frames = [...new FrameDecoder().push(stream)].filter(({ type }) => type === FRAME.data);
  return Buffer.concat(frames.map(({ payload }) => payload));
}
