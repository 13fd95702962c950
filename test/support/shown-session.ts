import type { TerminalSize } from '../../src/ports/pty.ts';
import type { Connection } from '../../src/ports/socket.ts';
import { Displays } from '../../src/session/displays.ts';
import { decodeServerMessage } from '../../src/session/messages.ts';
import { FrameDecoder } from '../../src/session/protocol.ts';
import { SessionScreen } from '../../src/session/screen.ts';
import * as drawing from '../../src/terminal/drawing.ts';
import { IDLE_MEMORY } from './screens.ts';

/** A session that is shown: what the command writes is given to `displays`. */
export function createShown(size: TerminalSize, scrollbackLines: number, nowMs: () => number = () => 0) {
  const load = () => Promise.resolve(drawing);
  const screen = new SessionScreen({ size, scrollbackLines, load, memory: IDLE_MEMORY, answer: () => undefined, nowMs });
  return { screen, displays: new Displays(screen, { describe: () => '', nowMs }) };
}

/** The way to a client that gives what its terminal is to be sent, once for each write. */
export function connectionTo(onShown: (data: Uint8Array) => void): Connection {
  const decoder = new FrameDecoder();
  return {
    peer: undefined,
    queuedBytes: 0,
    write(frames) {
      const messages = [...decoder.push(frames)].map(decodeServerMessage);
      onShown(Buffer.concat(messages.flatMap((one) => (one.kind === 'output' || one.kind === 'redraw' ? [one.data] : []))));
    },
    end: () => undefined,
    close: () => undefined,
  };
}
