import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import { SystemError } from '../../src/errors.ts';
import { claimSession } from '../../src/session/claim.ts';
import { removeSessionFiles } from '../../src/session/leftovers.ts';
import { HEARTBEAT_MS, LiveSession } from '../../src/session/live-session.ts';
import { lockName } from '../../src/session/name-lock.ts';
import { STARTING } from '../../src/session/record.ts';
import { loadAdapters } from '../support/adapters.ts';
import { SAMPLE_IDENTITY } from '../support/sample-identity.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { FaultPlan, makeFaulty } from './support/faulty-files.ts';

const { files, hash } = await loadAdapters();
const clock = { nowMs: () => 1_771_491_243_000, monotonicMs: () => 0, utcOffsetMinutes: () => 0 };

/** From the claim of a session to its end, with one call of the file system that fails. */
async function live(turn: number, errno: string): Promise<{ readonly failed: string | undefined }> {
  using scratch = createScratchDirectory();
  const plan = new FaultPlan();
  const faulty = makeFaulty(files, plan);
  using sessions = faulty.openDirectory(scratch.bytes);
  sessions.createDirectory('names' as Bytes, 0o700);
  using names = sessions.openDirectory('names' as Bytes);
  const claim = { sessions, names, identity: SAMPLE_IDENTITY, chosenName: 'mine', state: STARTING };
  const session = new LiveSession(await claimSession({ ...claim, clock, hash, randomHex: () => 'a3f7c2' }), clock);

  plan.arm(turn, errno);
  await session.isRunning(41, null);
  session.hasAttachment('attached');
  session.hasPending(1);
  vi.advanceTimersByTime(HEARTBEAT_MS);
  const loss = await session.hasEnded({ exitCode: 5, signal: null }, null);
  session[Symbol.dispose]();
  plan.disarm();

  const record = JSON.parse(readFileSync(join(scratch.path, 'a3f7c2.json'), 'utf8')) as Record<string, unknown>;
  // What could not be written down is said.
  if (loss === null || !loss.includes('record')) expect(record).toMatchObject({ status: 'exited', exit_code: 5 });
  const name = await lockName(names, 'mine');
  expect(name).toBeDefined();
  name?.[Symbol.dispose]();
  expect(readdirSync(join(scratch.path, 'names'))).toEqual([]);
  return plan;
}

test('a session that is removed, or withdrawn, at no moment has a record without its log', async () => {
  for (const isWithdrawn of [true, false]) {
    for (let turn = 1; ; turn++) {
      using scratch = createScratchDirectory();
      const plan = new FaultPlan();
      using sessions = makeFaulty(files, plan).openDirectory(scratch.bytes);
      sessions.createDirectory('names' as Bytes, 0o700);
      using names = sessions.openDirectory('names' as Bytes);
      const claim = { sessions, names, identity: SAMPLE_IDENTITY, chosenName: 'mine', state: STARTING };
      const { record, audit } = await claimSession({ ...claim, clock, hash, randomHex: () => 'a3f7c2' });
      audit.close();
      plan.arm(turn, 'EIO');
      const remove = () => (isWithdrawn ? record.withdraw() : removeSessionFiles(sessions, 'a3f7c2'));
      try {
        remove();
      } catch (error) {
        expect(error).toBeInstanceOf(SystemError);
      }
      const left = readdirSync(scratch.path);
      if (left.includes('a3f7c2.json')) expect(left).toContain('a3f7c2.events.jsonl');
      if (plan.failed === undefined) break;
    }
  }
});

describe('a session whose file system fails once', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  test.for(['ENOSPC', 'EMFILE', 'ENOMEM', 'EIO'])(
    'goes on, is told how it ended, and gives its name back (%s)',
    async (errno) => {
      let turn = 1;
      for (; (await live(turn, errno)).failed !== undefined; turn++);
      expect(turn).toBeGreaterThan(10);
    },
  );
});
