import type { DetachReason } from './audit-event.ts';

/**
 * What a connection is to the session. One client at a time is attached: `interactive`, or `resting` while its terminal shows what is its
 * user's, from the stop of the command by a key until the client says its size again.
 */
export type ClientRole = 'new' | 'interactive' | 'resting' | 'viewer' | 'control' | 'gone';

/**
 * A hello that was let in (`attach`, also by stealing), what a client sends after it, the stop of the command, and the reasons for which a client
 * goes: with every one that is let in, the one that was attached is `stolen`.
 */
export type ClientEvent = 'attach' | 'view' | 'control' | 'data' | 'resize' | 'fence' | 'request' | 'stopped' | DetachReason;

/** Anybody may leave, be hung up on or refused, and hear of the end. */
const GOING = { asked: 'gone', gone: 'gone', ended: 'gone' } as const;

/** And whoever is attached may be sent away. */
const GIVING_WAY = { dropped: 'gone', stolen: 'gone', ...GOING } as const;

/** The life of a connection (PROTOCOL.md). A message that no row has is out of turn: its sender is refused. Whatever else no row has changes nothing. */
export const ATTACHMENT: Readonly<Record<ClientRole, Partial<Record<ClientEvent, ClientRole>>>> = {
  new: { attach: 'interactive', view: 'viewer', control: 'control', ...GOING },
  interactive: { data: 'interactive', resize: 'interactive', fence: 'interactive', stopped: 'resting', ...GIVING_WAY },
  resting: { data: 'resting', resize: 'interactive', fence: 'resting', stopped: 'resting', ...GIVING_WAY },
  viewer: { resize: 'viewer', ...GOING },
  control: { request: 'control', ...GOING },
  gone: {},
};

/** Whether the session is attached to it: nobody else types, or says how large it is. */
export function isAttachedAs(role: ClientRole): boolean {
  return role === 'interactive' || role === 'resting';
}
