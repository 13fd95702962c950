import { expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { READ, READ_WRITE, type RuleOrigin, WRITE } from '../../../src/sandbox/plan.ts';
import { isShared, sharedBy } from '../../../src/session/shared.ts';

test('sharedBy() keeps of a plan what the call and its profile give', () => {
  const rule = (path: string, origin: RuleOrigin, access = READ) => ({ path: path as Bytes, isDirectory: true, access, origin });
  const shared = sharedBy({
    rules: [
      rule('/usr', 'system'),
      rule('/work', 'grant', READ_WRITE),
      rule('/h\xff', 'profile', WRITE),
      rule('/tmp/x', 'temporary', READ_WRITE),
    ],
    sockets: ['/run/s' as Bytes],
    network: { mode: 'ports', connect: [443], bind: [] },
    asks: true,
  });

  expect(shared).toEqual({
    paths: [
      { path: '/work', access: 'readwrite' },
      { path: { base64: 'L2j/' }, access: 'write' },
    ],
    sockets: ['/run/s'],
    connect_ports: [443],
    bind_ports: [],
    asks: true,
  });
  expect(isShared(shared)).toBe(true);
});
