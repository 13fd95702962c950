import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../../src/bytes.ts';
import { enforcedBy } from '../../../src/sandbox/linux/landlock.ts';
import { parseRecord } from '../../../src/session/read-record.ts';
import { makeRecord, STARTING } from '../../../src/session/record.ts';

const RECORD = makeRecord(
  {
    id: 'a1b2c3',
    name: 'calm-otter',
    command: [bytesFromText('true')],
    workingDirectory: bytesFromText('/work'),
    profile: 'default',
    hostName: 'here',
    supervisor: { pid: 12, startTicks: 34, pidNamespace: 56, bootId: 'boot' },
    started: '2026-02-19T09:14:03.120+01:00',
    network: 'allowed',
    enforced: enforcedBy(7, 'own'),
    shared: { paths: [], sockets: [], connect_ports: [], bind_ports: [], asks: false },
    hasTerminal: true,
  },
  STARTING,
);

const parse = (changes: Readonly<Record<string, unknown>>) =>
  parseRecord('a1b2c3', bytesFromText(JSON.stringify({ ...RECORD, ...changes })));

describe('parseRecord()', () => {
  test('takes what nono writes, and fields that it does not know', () => {
    expect(parse({})).toEqual(RECORD);
    expect(parse({ later: [1] })).toMatchObject(RECORD);
    expect(parse({ child_pid: 7, exit_code: 0, ended: RECORD.started, signal: 'SIGTERM', failure: 'x' }).child_pid).toBe(7);
  });

  test('takes what is shared, and the record of an older nono, which does not say it', () => {
    const shared = {
      paths: [{ path: '/work', access: 'readwrite' }],
      sockets: [{ base64: '/w==' }],
      connect_ports: [443],
      bind_ports: [],
      asks: true,
    };
    expect(parse({ shared }).shared).toEqual(shared);
    expect(parse({ shared: undefined }).shared).toBeUndefined();
    for (const change of [
      { paths: [{ path: '/work', access: 'all' }] },
      { paths: ['/work'] },
      { paths: {} },
      { sockets: [1] },
      { connect_ports: ['443'] },
      { bind_ports: null },
      { asks: 1 },
    ])
      expect(() => parse({ shared: { ...shared, ...change } })).toThrow('"shared" says nothing');
    expect(() => parse({ shared: null })).toThrow('"shared" says nothing');
  });

  test.for(['name', 'attachment', 'boot_id', 'host', 'started', 'profile'])('refuses a record whose %s is no text', (field) => {
    for (const value of [1, null, undefined, ['a']]) expect(() => parse({ [field]: value })).toThrow(`"${field}" is no text`);
  });

  test.for(['supervisor_pid', 'supervisor_start', 'pid_namespace', 'child_pid', 'exit_code'])(
    'refuses a record whose %s is no whole number',
    (field) => {
      for (const value of ['1', 1.5, undefined, 2 ** 60])
        expect(() => parse({ [field]: value })).toThrow(`"${field}" is no whole number`);
    },
  );

  test.for(['ended', 'signal', 'rollback_session', 'failure'])('refuses a record whose %s is neither text nor null', (field) => {
    for (const value of [1, undefined, {}]) expect(() => parse({ [field]: value })).toThrow(`"${field}" is no text`);
  });
});
