import { describe, expect, test } from 'vitest';
import { type Bytes, bufferFromBytes } from '../../../src/bytes.ts';
import { denialLines, refusalEvents } from '../../../src/commands/denials.ts';

const FAILED = { exitCode: 1, signal: null };
const PLACES = { homeDirectory: '/home/u' as Bytes, stateDirectory: '/home/u/.nono' as Bytes, uid: 1000 };
const LAST = 'Files that could not be opened are seen, and asked about, only with --ask';

/** As the mediator notes it down: refused.c. */
function noted(...entries: readonly (readonly [kind: number, name: string, times?: number])[]): Uint8Array {
  const pieces = entries.map(([kind, name, times = 1]) => {
    const bytes = bufferFromBytes(name as Bytes);
    const piece = Buffer.alloc(16 + Math.ceil(bytes.length / 8) * 8);
    piece.writeUInt32LE(kind, 0);
    piece.writeUInt32LE(times, 4);
    piece.writeUInt32LE(bytes.length, 8);
    piece.set(bytes, 16);
    return piece;
  });
  const body = Buffer.concat(pieces);
  const header = Buffer.alloc(8);
  header.writeUInt32LE(body.length, 0);
  return Buffer.concat([header, body]);
}

const linesOf = (refused: Uint8Array) => denialLines({ denials: undefined, refused, loneFiles: [], ...PLACES }, FAILED);

describe('denialLines()', () => {
  test("says that the session's bus takes an exception, too", () => {
    expect(linesOf(noted([3, '/run/user/1000/bus']))).toContainEqual(
      expect.stringContaining('--allow-socket /run/user/1000/bus --override-deny /run/user/1000/bus gives it'),
    );
  });

  test('says of each refusal the option that gives it', () => {
    expect(linesOf(noted([1, '/srv/file', 3], [2, '/srv'], [3, '/run/some.sock'], [4, '443'], [5, '8080']))).toEqual([
      'Denied: change mode, owner, times or attributes of /srv/file (3 times; --write-file /srv/file gives it)',
      'Denied: change mode, owner, times or attributes of /srv (--write /srv gives it)',
      'Denied: connect to /run/some.sock (--allow-socket /run/some.sock gives it)',
      'Denied: connect to port 443 (--allow-port 443 gives it)',
      'Denied: listen on port 8080 (--allow-bind 8080 gives it)',
      LAST,
    ]);
  });

  test('gives options that a shell takes as one word, whatever names there are', () => {
    const access = { read: true, write: false, create: false, connect: false, directory: false };
    const denials = [{ path: '/srv/x;$(id)' as Bytes, access, reason: 'timeout' as const, count: 1 }];
    const names = ['/srv/a b;id', "/srv/it's", '/srv/g\xc3\xa4rten', '/srv/\x1b[2J;id'];
    const lines = denialLines(
      { denials, refused: noted(...names.map((name) => [1, name] as const)), loneFiles: [], ...PLACES },
      FAILED,
    );

    expect(lines.map((line) => /(--\w.*) gives it/.exec(line)?.[1])).toEqual([
      "--read-file '/srv/x;$(id)'",
      "--write-file '/srv/a b;id'",
      "--write-file '/srv/it'\\''s'",
      '--write-file /srv/g\u00e4rten',
      "--write-file $'/srv/\\x1b[2J;id'",
    ]);
  });

  test('says what else a sensitive place takes, and that nothing opens the state', () => {
    expect(linesOf(noted([1, '/home/u/.ssh/config'], [2, '/home/u/.nono/sessions']))).toEqual([
      'Denied: change mode, owner, times or attributes of /home/u/.ssh/config (SSH keys; --write-file /home/u/.ssh/config --override-deny /home/u/.ssh gives it)',
      "Denied: change mode, owner, times or attributes of /home/u/.nono/sessions (nono's own state; nothing gives it)",
      LAST,
    ]);
  });

  test('names no directory for a file to be made in that cannot be shared', () => {
    const access = { read: false, write: true, create: true, connect: false, directory: false };
    const made = (path: string) => ({ path: path as Bytes, access, reason: 'timeout' as const, count: 1 });
    const denials = [made('/srv/data/new'), made('/home/u/new')];
    expect(denialLines({ denials, refused: noted(), loneFiles: [], ...PLACES }, FAILED)).toEqual([
      'Denied: create /srv/data/new (nobody answered in time; --allow /srv/data gives it)',
      "Denied: create /home/u/new (nobody answered in time; that takes a directory with /home/u/.nono in it, nono's own state)",
    ]);
  });

  test('leaves out what no option gives: terminals, devices and what the kernel shows', () => {
    expect(linesOf(noted([1, '/dev/null'], [2, '/proc/self'], [1, '/sys/kernel/x']))).toEqual([]);
    expect(linesOf(noted([1, '/dev/shm/x']))).toHaveLength(2);
  });

  test('counts those after the tenth', () => {
    const lines = linesOf(noted(...Array.from({ length: 13 }, (_, at) => [4, String(at + 1)] as const)));
    expect(lines).toHaveLength(12);
    expect(lines[10]).toBe('Denied: 3 more, see `nono inspect --events`');
  });

  test('says nothing of a command that worked', () => {
    const seen = { denials: undefined, refused: noted([4, '443']), loneFiles: ['/srv/x'] as Bytes[], ...PLACES };
    expect(denialLines(seen, { exitCode: 0, signal: null })).toEqual([]);
  });

  test('draws no escape sequence that a name holds', () => {
    expect(linesOf(noted([1, '/srv/\x1b[31mred'])).join('\n')).not.toContain('\x1b');
  });

  test('says what a granted file is not, and what that takes', () => {
    const loneFiles = ['/srv/data/x', '/home/u/.settings'] as Bytes[];
    expect(denialLines({ denials: undefined, refused: noted(), loneFiles, ...PLACES }, FAILED)).toEqual([
      'Granted is the file /srv/data/x: to replace it by another one, as many programs save, takes --allow /srv/data',
      "Granted is the file /home/u/.settings: to replace it by another one, as many programs save, takes its directory, and that has /home/u/.nono in it (nono's own state)",
    ]);
  });
});

describe('refusalEvents()', () => {
  test('tells each refusal once, with what it was about', () => {
    expect(refusalEvents(noted([1, '/srv/file', 3], [2, '/srv'], [3, '/run/some.sock'], [4, '443'], [5, '8080']))).toEqual([
      { event: 'refused', access: 'change', target: '/srv/file', requests: 3 },
      { event: 'refused', access: 'change', target: '/srv', requests: 1 },
      { event: 'refused', access: 'connect', target: '/run/some.sock', requests: 1 },
      { event: 'refused', access: 'connect to port', target: '443', requests: 1 },
      { event: 'refused', access: 'listen on port', target: '8080', requests: 1 },
    ]);
  });
});
