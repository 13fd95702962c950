import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../../src/bytes.ts';
import { seatbeltProfile } from '../../../../src/sandbox/macos/seatbelt.ts';
import { type Access, DEVICE, type Network, type PathRule, READ, READ_WRITE, WRITE } from '../../../../src/sandbox/plan.ts';

function rule(path: string, access: Access, origin: PathRule['origin'] = 'grant'): PathRule {
  const isDirectory = path.endsWith('/');
  return { path: (isDirectory ? path.slice(0, -1) : path) as Bytes, isDirectory, access, origin };
}

function profile(
  rules: readonly PathRule[] = [],
  network: Network = { mode: 'allowed' },
  sockets: readonly string[] = [],
): string {
  return seatbeltProfile({ rules, network, sockets: sockets as Bytes[] }, { stateDirectory: '/Users/u/.nono' as Bytes });
}

/** The lines of the form that allows `operations`. */
function form(text: string, operations: string): string {
  const at = text.indexOf(`(allow ${operations}\n`);
  return at < 0 ? '' : text.slice(at, text.indexOf('\n(', at + 1));
}

describe('seatbeltProfile()', () => {
  test('denies what no line allows', () => {
    expect(profile()).toMatch(/^\(version 1\)\n\(deny default\)\n/);
  });

  test('closes every bracket and every quote', () => {
    const text = profile([rule('/Users/u/a "b" \\c (d/', READ_WRITE)]).replaceAll(/#?"(?:[^"\\]|\\.)*"/g, '');
    let depth = 0;
    for (const character of text) {
      depth += character === '(' ? 1 : character === ')' ? -1 : 0;
      expect(depth).toBeGreaterThanOrEqual(0);
    }
    expect(depth).toBe(0);
    expect(text).not.toContain('"');
  });

  test('escapes what would end a string', () => {
    expect(profile([rule('/a"(allow default)\\', READ)])).toContain('(literal "/a\\"(allow default)\\\\")');
  });

  test('reads and executes what may be read, and writes only what may be written', () => {
    const text = profile([rule('/Users/u/data/', READ), rule('/Users/u/out/', WRITE), rule('/Users/u/both', READ_WRITE)]);

    const readable = form(text, 'file-read* process-exec file-map-executable');
    const writable = form(text, 'file-write*');

    expect(readable).toContain('(subpath "/Users/u/data")');
    expect(readable).toContain('(literal "/Users/u/both")');
    expect(readable).not.toContain('/Users/u/out');
    expect(writable).toBe('(allow file-write*\n  (subpath "/Users/u/out")\n  (literal "/Users/u/both"))');
  });

  test('gives ioctl on terminals and devices alone', () => {
    const text = profile([rule('/dev/ttys004', DEVICE, 'stream'), rule('/Users/u/both/', READ_WRITE)]);

    expect(form(text, 'file-read* file-write* file-ioctl')).toContain('(literal "/dev/ttys004")');
    expect(form(text, 'file-read* file-write* file-ioctl')).not.toContain('both');
    expect(form(text, 'file-write*')).not.toContain('ttys');
  });

  test("closes nono's state after all that is allowed", () => {
    const text = profile([rule('/Users/u/', READ_WRITE)]);

    expect(text.trimEnd().endsWith('(deny file-read* file-write* process-exec (subpath "/Users/u/.nono"))')).toBe(true);
  });

  test('lets signals reach the same sandbox only', () => {
    expect(profile().match(/^\(allow signal.*$/gm)).toEqual(['(allow signal (target same-sandbox))']);
  });

  test.for([
    { network: { mode: 'allowed' }, lines: ['outbound (remote ip)', 'bind network-inbound (local ip)'] },
    { network: { mode: 'blocked' }, lines: [] },
    {
      network: { mode: 'loopback' },
      lines: ['outbound (remote tcp "localhost:*")', 'bind network-inbound (local tcp "localhost:*")'],
    },
    {
      network: { mode: 'ports', connect: [443], bind: [8080] },
      lines: ['outbound (remote tcp "*:443")', 'bind network-inbound (local tcp "*:8080")'],
    },
  ] as const)('with a network that is $network.mode', ({ network, lines }) => {
    const found = profile([], network).match(/^\(allow network-.*\(.*$/gm) ?? [];

    expect(found).toEqual(lines.map((line) => `(allow network-${line})`));
  });

  test('connects to the sockets that are allowed, and to the resolver unless the network is blocked', () => {
    const sockets = '  (literal "/private/tmp/s")\n  (subpath "/private/tmp/s"))';

    expect(form(profile([], { mode: 'blocked' }, ['/private/tmp/s']), 'network-outbound')).toBe(
      `(allow network-outbound\n${sockets}`,
    );
    expect(form(profile([], { mode: 'allowed' }, ['/private/tmp/s']), 'network-outbound')).toBe(
      `(allow network-outbound\n  (literal "/private/var/run/mDNSResponder")\n${sockets}`,
    );
  });
});
