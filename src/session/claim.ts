import { EXIT, NonoError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory } from '../ports/files.ts';
import { HEARTBEAT_MS } from './live-session.ts';
import { makeSessionName, type RandomHex } from './names.ts';
import type { SessionIdentity, SessionState } from './record.ts';
import { isNameTaken, type OwnedRecord, publishRecord } from './registry.ts';

export interface Claim {
  readonly sessions: Directory;
  readonly identity: Omit<SessionIdentity, 'name'>;
  /** Undefined to make one up. */
  readonly chosenName: string | undefined;
  readonly state: SessionState;
  readonly clock: Clock;
  readonly randomHex: RandomHex;
}

export interface ClaimedRecord {
  readonly record: OwnedRecord;
  readonly name: string;
}

/**
 * Publishes the record first and looks for the name then, so that of two sessions at least one notices.
 *
 * @throws {NonoError} when the id or the chosen name is another session's.
 */
export function claimRecord({ sessions, identity, chosenName, state, clock, randomHex }: Claim): ClaimedRecord {
  const { id } = identity;
  for (;;) {
    const name = chosenName ?? makeSessionName(randomHex);
    const record = publishRecord(sessions, { ...identity, name }, state);
    if (record === undefined) {
      throw new NonoError('E_STATE', EXIT.nonoFailed, `Cannot use the session id ${id}: another run has just taken it`, {
        hint: 'Run it again',
      });
    }
    // A made-up name is one of thousands: to look only at who was heard of lately keeps the start short.
    const sinceMs = chosenName === undefined ? clock.nowMs() - 3 * HEARTBEAT_MS : 0;
    if (!isNameTaken(sessions, name, id, sinceMs)) return { record, name };
    record.withdraw();
    if (chosenName === undefined) continue;
    throw new NonoError('E_NAME_TAKEN', EXIT.nonoFailed, `Cannot name this session "${name}": a live session has that name`, {
      hint: 'Choose another name, or leave --name out',
    });
  }
}
