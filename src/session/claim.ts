import { displayBytes } from '../bytes.ts';
import { EXIT, isErrno, NonoError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { AuditLog } from './audit-log.ts';
import type { ClaimedSession } from './live-session.ts';
import { lockName } from './name-lock.ts';
import { makeSessionName, type RandomHex } from './names.ts';
import type { SessionIdentity, SessionState } from './record.ts';
import { publishRecord } from './registry.ts';

export interface Claim {
  readonly sessions: Directory;
  /** `names/`, where live sessions hold theirs. */
  readonly names: Directory;
  readonly identity: Omit<SessionIdentity, 'name'>;
  /** Undefined to make one up. */
  readonly chosenName: string | undefined;
  readonly state: SessionState;
  readonly clock: Clock;
  readonly hash: Hash;
  readonly randomHex: RandomHex;
}

/**
 * Takes the name, then the id.
 *
 * @throws {NonoError} when the id or the chosen name is another session's, or the disk takes nothing.
 */
export async function claimSession(claim: Claim): Promise<ClaimedSession> {
  const { sessions, identity, state, clock, hash } = claim;
  const { name, lock } = await takeName(claim);
  using cleanUp = new DisposableStack();
  cleanUp.use(lock);
  try {
    const record = publishRecord(sessions, { ...identity, name }, state);
    if (record === undefined) {
      throw new NonoError('E_STATE', EXIT.nonoFailed, `Cannot use the session id ${identity.id}: another run has just taken it`, {
        hint: 'Run it again',
      });
    }
    cleanUp.defer(() => record.withdraw());
    const audit = AuditLog.create(sessions, identity.id, { clock, hash });
    cleanUp.move();
    return { record, name, nameLock: lock, state, audit };
  } catch (error) {
    throw storeFailure(error, sessions);
  }
}

async function takeName({ names, chosenName, randomHex }: Claim): Promise<{ readonly name: string; readonly lock: Disposable }> {
  for (;;) {
    const name = chosenName ?? makeSessionName(randomHex);
    const lock = await tryName(names, name);
    if (lock !== undefined) return { name, lock };
    if (chosenName === undefined) continue;
    throw new NonoError('E_NAME_TAKEN', EXIT.nonoFailed, `Cannot name this session "${name}": a live session has that name`, {
      hint: 'Choose another name, or leave --name out',
    });
  }
}

async function tryName(names: Directory, name: string): Promise<Disposable | undefined> {
  try {
    return await lockName(names, name);
  } catch (error) {
    throw storeFailure(error, names);
  }
}

function storeFailure(error: unknown, { path }: Directory): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO')) return error;
  return new NonoError('E_STATE', EXIT.nonoFailed, `Cannot write to nono's own directory "${displayBytes(path)}"`, {
    cause: error,
    hint: 'Make it writable, with free space, or set NONO_HOME to another place',
  });
}
