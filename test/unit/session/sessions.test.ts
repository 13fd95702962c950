import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import type { Directory } from '../../../src/ports/files.ts';
import type { Processes } from '../../../src/ports/processes.ts';
import type { AuditLog } from '../../../src/session/audit-log.ts';
import { LiveSession } from '../../../src/session/live-session.ts';
import { STARTING } from '../../../src/session/record.ts';
import { type OwnedRecord, publishRecord } from '../../../src/session/registry.ts';
import { listSessions, readSession } from '../../../src/session/sessions.ts';
import { createTestClock, loadAdapters } from '../../support/adapters.ts';
import { SAMPLE_IDENTITY } from '../../support/sample-identity.ts';

const { files } = await loadAdapters();
const { hostName } = SAMPLE_IDENTITY;
/** Nobody's process can be seen, as from another container. */
const processes = {
  self: () => SAMPLE_IDENTITY.supervisor,
  startTicks: () => undefined,
  wallSeconds: () => 0,
} satisfies Processes;
let top = '';
let sessions: Directory;
const records: OwnedRecord[] = [];

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'nono-unit-'));
  sessions = files.openDirectory(bytesFromText(top));
});
afterEach(() => {
  for (const record of records.splice(0)) record[Symbol.dispose]();
  sessions[Symbol.dispose]();
  rmSync(top, { recursive: true, force: true });
});

function publish(id: string): OwnedRecord {
  const record = publishRecord(sessions, { ...SAMPLE_IDENTITY, id, name: `name-${id}` }, { ...STARTING, status: 'running' });
  if (record === undefined) throw new Error(`${id} is taken`);
  records.push(record);
  return record;
}

/** The same directory with some calls replaced. */
function directoryWith(calls: Partial<Directory>): Directory {
  return new Proxy(sessions, {
    get(target, key) {
      const value: unknown = Reflect.get(calls, key) ?? Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('listSessions()', () => {
  const idsOf = (directory: Directory) =>
    listSessions(directory, { processes, hostName }).sessions.map(({ record }) => record.session_id);

  test('takes no file for a record that has another name', () => {
    publish('aaaaaa');
    for (const name of [
      'aaaaaa.screen.json',
      'eeeeee.events.jsonl',
      'bbbbbb.json.new',
      'cccccc.7.json.new',
      'notes.json',
      'dddddd.log',
    ])
      writeFileSync(join(top, name), readFileSync(join(top, 'aaaaaa.json')));
    expect(idsOf(sessions)).toEqual(['aaaaaa']);
  });
});

describe('readSession()', () => {
  const read = (directory: Directory) =>
    readSession(directory, 'aaaaaa', {
      processes,
      hostName,
      self: SAMPLE_IDENTITY.supervisor,
      uid: sessions.statSelf().uid,
    });

  test('takes no session for lost whose record is replaced between the look at its file and at its lock', () => {
    publish('aaaaaa');
    writeFileSync(join(top, 'before'), readFileSync(join(top, 'aaaaaa.json')));
    const opened: Bytes[] = [];
    // What was opened first is the file that had the name a moment ago, which nobody locks any more.
    const openFile = (name: Bytes) => sessions.openFile(opened.push(name) === 1 ? ('before' as Bytes) : name);

    expect(read(directoryWith({ openFile }))).toMatchObject({ status: 'running', isLive: true });
    expect(opened).toHaveLength(2);
  });

  test('reads all of a record that has replaced a shorter one since its name was looked at', () => {
    publish('aaaaaa');
    const stat = (name: Bytes) => {
      const found = sessions.stat(name);
      return found && { ...found, sizeBytes: found.sizeBytes - 10 };
    };
    expect(read(directoryWith({ stat }))).toMatchObject({ status: 'running', isLive: true });
  });

  test('takes it for lost when nobody holds the lock, and comes to an end where numbers of files change from look to look', () => {
    publish('aaaaaa')[Symbol.dispose]();
    expect(read(sessions)).toMatchObject({ status: 'lost', isLive: false });
    let inode = 0n;
    const stat = (name: Bytes) => {
      const found = sessions.stat(name);
      inode += 1n;
      return found && { ...found, inode };
    };
    expect(read(directoryWith({ stat }))).toMatchObject({ status: 'lost' });
  });
});

describe('LiveSession', () => {
  const audit = { record() {}, flush() {}, close() {} } as unknown as AuditLog;
  const live = (record: OwnedRecord) =>
    new LiveSession({ record, audit, name: 'mine', nameLock: { [Symbol.dispose]() {} }, state: STARTING }, createTestClock());

  test('leaves the record of a command that ran, when something fails before its end is written down', async () => {
    const failing = live(publish('aaaaaa'));
    await failing.isRunning(7, '20260101-000000-7');
    failing[Symbol.dispose]();

    const [session] = listSessions(sessions, { processes, hostName }).sessions;
    expect(session).toMatchObject({ status: 'lost', record: { child_pid: 7, rollback_session: '20260101-000000-7' } });
  });

  test('leaves none of a command that never ran', () => {
    live(publish('aaaaaa'))[Symbol.dispose]();
    expect(listSessions(sessions, { processes, hostName }).sessions).toEqual([]);
  });
});
