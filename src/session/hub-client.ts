import type { Shortcut } from '../ports/shortcut.ts';
import type { Connection } from '../ports/socket.ts';
import type { Actor } from './audit-event.ts';
import type { Display } from './display.ts';
import type { Fences } from './fences.ts';
import { encodeServerMessage, type ServerMessage } from './messages.ts';
import type { FrameDecoder } from './protocol.ts';
import type { RequestLine } from './request-line.ts';

type ClientRole = 'new' | 'interactive' | 'viewer' | 'control' | 'gone';

/** Somebody who has connected to a session. */
export interface Client {
  readonly connection: Connection;
  readonly decoder: FrameDecoder;
  /** Between it and the command's terminal. */
  shortcut: Shortcut | undefined;
  /** Of what it is shown; undefined for one that knows of none. */
  fences: Fences | undefined;
  role: ClientRole;
  /** Where the session is shown. */
  display: Display | undefined;
  readonly requests: RequestLine;
}

export function send({ connection }: Client, message: ServerMessage): void {
  connection.write(encodeServerMessage(message));
}

export function actorOf({ connection: { peer } }: Client): Actor {
  return { pid: peer?.pid ?? null, uid: peer?.uid ?? null };
}
