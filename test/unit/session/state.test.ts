import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { SystemError } from '../../../src/errors.ts';
import type { Processes } from '../../../src/ports/processes.ts';
import { removeLeftovers, removeSessionFiles } from '../../../src/session/leftovers.ts';
import { type SessionIdentity, STARTING } from '../../../src/session/record.ts';
import { publishRecord, unusedId } from '../../../src/session/registry.ts';
import { openStateDirectory } from '../../../src/session/state-directory.ts';
import {
  createTemporaryDirectory,
  sweepTemporaryDirectories,
  temporaryDirectoryPath,
} from '../../../src/session/temporary-directory.ts';
import { loadAdapters } from '../../support/adapters.ts';
import { SAMPLE_IDENTITY } from '../../support/sample-identity.ts';

const { files } = await loadAdapters();
const uid = process.getuid?.() ?? 0;
let top = '';

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'nono-unit-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const at = (name: string): Bytes => bytesFromText(join(top, name));

describe('openStateDirectory()', () => {
  test('makes what is missing, for its owner alone', () => {
    using directory = openStateDirectory(files, at('a/state'), uid, { create: true });

    expect(directory?.names()).toEqual([]);
    expect(statSync(join(top, 'a/state')).mode & 0o777).toBe(0o700);
  });

  test('makes nothing when it is only asked', () => {
    expect(openStateDirectory(files, at('a/state'), uid, { create: false })).toBeUndefined();
    expect(readdirSync(top)).toEqual([]);
  });

  test.for([
    { state: 'a link', make: (path: string) => symlinkSync('.', path), hint: /NONO_HOME/ },
    { state: 'a file', make: (path: string) => writeFileSync(path, ''), hint: /mv / },
    { state: 'a directory that the group can read', make: (path: string) => mkdirSync(path, { mode: 0o750 }), hint: /chmod 700/ },
    {
      state: 'a directory that others can enter',
      make: (path: string) => {
        mkdirSync(path);
        chmodSync(path, 0o701);
      },
      hint: /chmod 700/,
    },
  ])('refuses $state', ({ make, hint }) => {
    make(join(top, 'state'));

    const open = () => openStateDirectory(files, at('state'), uid, { create: true });

    expect(open).toThrow(expect.objectContaining({ code: 'E_STATE', hint: expect.stringMatching(hint) }));
  });

  test.for([
    { name: '.nono', hint: /^Close it: chmod 700 / },
    { name: 'shared', hint: /^Set NONO_HOME to a directory that is for nono alone\. Only if this one is: close it: chmod 700 / },
  ])('says how to repair $name as what it may be', ({ name, hint }) => {
    mkdirSync(join(top, name));
    chmodSync(join(top, name), 0o755);

    const open = () => openStateDirectory(files, at(name), uid, { create: true });

    expect(open).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }));
  });

  test('refuses a place where nothing can be made', () => {
    const open = () => openStateDirectory(files, '/proc/state' as Bytes, uid, { create: true });

    expect(open).toThrow(expect.objectContaining({ code: 'E_STATE', hint: expect.stringMatching(/NONO_HOME/) }));
  });

  test.skipIf(uid !== 0)("refuses somebody else's", () => {
    mkdirSync(join(top, 'state'), { mode: 0o700 });
    chownSync(join(top, 'state'), 65534, 65534);

    const open = (asked: number) => () => openStateDirectory(files, at('state'), asked, { create: true });
    expect(open(uid)).toThrow(/belongs to the user/);
    expect(open(uid)).toThrow(expect.objectContaining({ hint: 'Run it as that user, or set NONO_HOME' }));
    expect(open(1)).toThrow(expect.objectContaining({ hint: expect.stringContaining('sudo chown -R 1 ') }));
  });
});

const identity = (id: string, name: string): SessionIdentity => ({
  ...SAMPLE_IDENTITY,
  id,
  name,
  command: ['echo' as Bytes, 'caf\xe9' as Bytes],
});

describe('a record', () => {
  test('is there as a whole, then replaced as a whole, and locked all the time', async () => {
    using sessions = files.openDirectory(bytesFromText(top));
    const record = publishRecord(sessions, identity('a3f7c2', 'calm-node'), STARTING);
    const read = () => JSON.parse(readFileSync(join(top, 'a3f7c2.json'), 'utf8')) as Record<string, unknown>;

    expect(read()).toMatchObject({ format: 1, status: 'starting', command: ['echo', { base64: 'Y2Fm6Q==' }], child_pid: null });
    const isLocked = () => {
      using file = sessions.openFile('a3f7c2.json' as Bytes);
      return !file.tryLock();
    };
    expect(isLocked()).toBe(true);
    const updates = [41, 42].map(async (childPid) => record?.update({ ...STARTING, status: 'running', childPid }));
    expect(isLocked()).toBe(true);
    await Promise.all(updates);
    expect(read()).toMatchObject({ status: 'running', child_pid: 42 });
    expect(isLocked()).toBe(true);
    record?.overwrite({ ...STARTING, status: 'exited' });
    expect(read()).toMatchObject({ status: 'exited', child_pid: null });
    record?.[Symbol.dispose]();
    expect(isLocked()).toBe(false);
    expect(readdirSync(top)).toEqual(['a3f7c2.json']);
    expect(statSync(join(top, 'a3f7c2.json')).mode & 0o777).toBe(0o600);
  });

  test('is seen before the disk has its directory, and on the disk for whoever waits for that', async () => {
    using sessions = files.openDirectory(bytesFromText(top));
    const record = publishRecord(sessions, identity('a3f7c2', 'calm-node'), STARTING);
    let finish = () => undefined as void;
    const disk = new Promise<void>((resolve) => (finish = resolve));
    Object.assign(sessions, { syncLater: () => disk });
    const read = () => JSON.parse(readFileSync(join(top, 'a3f7c2.json'), 'utf8')) as Record<string, unknown>;

    await record?.update({ ...STARTING, status: 'running', childPid: 41 }, 'seen');
    expect(read()).toMatchObject({ status: 'running', child_pid: 41 });
    let isWritten = false;
    const written = record?.update({ ...STARTING, status: 'running', childPid: 42 }).then(() => (isWritten = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isWritten).toBe(false);
    finish();
    await written;
    expect(read()).toMatchObject({ child_pid: 42 });
    record?.[Symbol.dispose]();
  });

  test('fails an update whose directory does not get to the disk, unless it was to be seen only', async () => {
    using sessions = files.openDirectory(bytesFromText(top));
    const record = publishRecord(sessions, identity('a3f7c2', 'calm-node'), STARTING);
    Object.assign(sessions, { syncLater: () => Promise.reject(new SystemError('fsync', 'EIO')) });

    await expect(record?.update({ ...STARTING, status: 'running', childPid: 41 }, 'seen')).resolves.toBeUndefined();
    await expect(record?.update({ ...STARTING, status: 'running', childPid: 42 })).rejects.toThrow('EIO');
    record?.[Symbol.dispose]();
  });

  test('never replaces that of another session', () => {
    using sessions = files.openDirectory(bytesFromText(top));
    writeFileSync(join(top, 'a3f7c2.json'), 'other');

    expect(publishRecord(sessions, identity('a3f7c2', 'x'), STARTING)).toBeUndefined();
    expect(readFileSync(join(top, 'a3f7c2.json'), 'utf8')).toBe('other');
    expect(readdirSync(top)).toEqual(['a3f7c2.json']);
  });

  test('of a session that never was leaves nothing', () => {
    using sessions = files.openDirectory(bytesFromText(top));
    const record = publishRecord(sessions, identity('a3f7c2', 'x'), STARTING);
    // A guardian that is killed before there is a command may have written to its terminal.
    for (const extension of ['log', 'times', 'events.jsonl']) writeFileSync(join(top, `a3f7c2.${extension}`), '');
    record?.withdraw();

    expect(readdirSync(top)).toEqual([]);
  });

  test('gets an id that no other has', () => {
    using sessions = files.openDirectory(bytesFromText(top));
    writeFileSync(join(top, 'aaaaaa.json'), '');
    const ids = ['aaaaaa', 'bbbbbb'];

    expect(unusedId(sessions, () => ids.shift() ?? '')).toBe('bbbbbb');
  });
});

describe('removeLeftovers()', () => {
  const nobody = { startTicks: () => undefined } as unknown as Processes;

  test('removes what belongs to no record', () => {
    using sessions = files.openDirectory(bytesFromText(top));
    for (const name of ['a3f7c2.json', 'a3f7c2.log', 'bbbbbb.log', 'bbbbbb.sock', 'notes.txt'])
      writeFileSync(join(top, name), '');
    removeLeftovers(sessions, nobody);
    expect(readdirSync(top).toSorted()).toEqual(['a3f7c2.json', 'a3f7c2.log', 'notes.txt']);
  });

  test('removes with a session, and of one that is gone, also what was to replace one of its files', () => {
    using sessions = files.openDirectory(bytesFromText(top));
    const unfinished = ['log.new', 'times.new', 'screen.json.new'];
    for (const id of ['a3f7c2', 'bbbbbb', 'cccccc']) for (const name of unfinished) writeFileSync(join(top, `${id}.${name}`), '');
    for (const id of ['a3f7c2', 'bbbbbb']) writeFileSync(join(top, `${id}.json`), '');
    removeSessionFiles(sessions, 'bbbbbb');
    removeLeftovers(sessions, nobody);
    // The first may be live, and its supervisor about to rename them.
    expect(readdirSync(top).toSorted()).toEqual(['json', ...unfinished].map((name) => `a3f7c2.${name}`).toSorted());
  });

  test('spares a session that began while the directory was read, piece by piece', () => {
    using sessions = files.openDirectory(bytesFromText(top));
    for (const name of ['a3f7c2.json', 'a3f7c2.log']) writeFileSync(join(top, name), '');
    const readBefore = new Proxy(sessions, {
      get(target, key) {
        if (key === 'names') return () => target.names().filter((name) => name !== 'a3f7c2.json');
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    removeLeftovers(readBefore, nobody);
    expect(readdirSync(top).toSorted()).toEqual(['a3f7c2.json', 'a3f7c2.log']);
  });
});

describe('temporary directories', () => {
  const processes = (alive: Readonly<Record<number, number>>): Processes => ({
    self: () => ({ pid: 1, startTicks: 5, pidNamespace: 77, bootId: 'b' }),
    startTicks: (pid) => alive[pid],
    wallSeconds: (ticks) => Date.now() / 1000 + ticks - 100,
  });
  const make = (pid: number, startTicks: number, pidNamespace = 77): string => {
    const random = `${pid}${startTicks}${pidNamespace}`.padStart(16, '0');
    const path = temporaryDirectoryPath({ files, environment: new Map(), randomHex: () => random }, 'abcdef', {
      pid,
      startTicks,
      pidNamespace,
      bootId: 'b',
    });
    createTemporaryDirectory(files, path);
    return path;
  };

  test('are swept when their owner is gone, and only then', () => {
    const [alive, dead, reused, elsewhere] = [make(900001, 50), make(900002, 50), make(900003, 50), make(900004, 50, 78)];
    const [hidden, elsewhen] = [make(900006, 50), make(900007, 50)];
    try {
      sweepTemporaryDirectories(files, processes({ 900001: 50, 900003: 151, 900006: Number.NaN, 900007: 49 }), uid);

      expect([alive, dead, reused, elsewhere, hidden, elsewhen].map((path) => existsSync(path))).toEqual([
        true,
        false,
        false,
        true,
        true,
        true,
      ]);
    } finally {
      for (const path of [alive, elsewhere, hidden, elsewhen]) rmSync(path, { recursive: true, force: true });
    }
  });

  test('are never taken over from somebody who guessed the name', () => {
    const path = make(900005, 50) as Bytes;
    try {
      expect(() => createTemporaryDirectory(files, path)).toThrow(expect.objectContaining({ code: 'E_TEMPORARY' }));
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
