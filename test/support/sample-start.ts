import type { Bytes } from '../../src/bytes.ts';
import type { Launch } from '../../src/sandbox/launch.ts';
import type { SessionStart } from '../../src/session/start-wire.ts';

/** A launch that asks the kernel for nothing. */
export const SAMPLE_LAUNCH: Launch = {
  supervisorPid: 0,
  landlock: {
    handledFs: 1,
    handledNet: 0,
    scoped: 0,
    rules: [{ path: '/a\xff' as Bytes, rights: 1, isRequired: true }],
    ports: [],
  },
  filter: '\x06\0\xff\x7f' as Bytes,
  mediation: null,
  capabilities: 0,
  workingDirectory: '/' as Bytes,
  executables: ['/bin/true'] as Bytes[],
  command: ['true'] as Bytes[],
  environment: [],
  signals: { ignored: [1], blocked: [] },
};

export const SAMPLE_START: SessionStart = {
  identity: {
    id: 'a3f7c2',
    command: ['true'] as Bytes[],
    workingDirectory: '/' as Bytes,
    profile: 'default',
    hostName: 'h',
    supervisor: { pid: 7, startTicks: 8, pidNamespace: 9, bootId: 'b' },
    started: '2026-02-19T09:14:03+01:00',
    network: 'blocked',
    enforced: { missing: [] } as never,
    shared: { paths: [], sockets: [], connect_ports: [], bind_ports: [], asks: false },
    hasTerminal: true,
  },
  chosenName: null,
  stateDirectory: '/s' as Bytes,
  temporaryDirectory: '/t' as Bytes,
  launch: SAMPLE_LAUNCH,
  rollback: null,
  homeDirectory: '/h' as Bytes,
  loneFiles: [],
  uid: 1000,
  size: { columns: 80, rows: 24 },
  scrollbackLines: 100,
  terminal: null,
  waitsForClient: false,
  asking: null,
};
