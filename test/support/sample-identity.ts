import type { Bytes } from '../../src/bytes.ts';
import { enforcedBy } from '../../src/sandbox/linux/landlock.ts';
import type { SessionIdentity } from '../../src/session/record.ts';

/** A session, but for its name. */
export const SAMPLE_IDENTITY = {
  id: 'a3f7c2',
  command: ['true' as Bytes],
  workingDirectory: '/work' as Bytes,
  profile: 'default',
  network: 'allowed',
  hostName: 'host',
  supervisor: { pid: 7, startTicks: 8, pidNamespace: 9, bootId: 'boot' },
  started: '2026-02-19T09:14:03.000+00:00',
  enforced: enforcedBy(7, 'own'),
  hasTerminal: true,
  shared: { paths: [], sockets: [], connect_ports: [], bind_ports: [], asks: false },
} as const satisfies Omit<SessionIdentity, 'name'>;
