import type { Shortcut } from '../ports/shortcut.ts';
import type { Connection } from '../ports/socket.ts';
import { ATTACHMENT, type ClientEvent, type ClientRole } from './attachment.ts';
import type { Actor } from './audit-event.ts';
import type { Display } from './display.ts';
import { Fences } from './fences.ts';
import { encodeServerMessage, type ServerMessage } from './messages.ts';
import type { FrameDecoder } from './protocol.ts';
import type { RequestLine } from './request-line.ts';

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

/** @returns false for what comes out of turn, which changes nothing. */
export function step(client: Client, event: ClientEvent): boolean {
  const next = ATTACHMENT[client.role][event];
  client.role = next ?? client.role;
  return next !== undefined;
}

export function send({ connection }: Client, message: ServerMessage): void {
  connection.write(encodeServerMessage(message));
}

/** Of what a client is shown. */
export function sessionFences(): Fences {
  return new Fences({
    ask: (number) => encodeServerMessage({ kind: 'shownFence', number }),
    answer: (number) => encodeServerMessage({ kind: 'typedAnswer', number }),
  });
}

export function actorOf({ connection: { peer } }: Client): Actor {
  return { pid: peer?.pid ?? null, uid: peer?.uid ?? null };
}
