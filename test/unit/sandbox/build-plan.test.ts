import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { buildPlan } from '../../../src/sandbox/build-plan.ts';
import { decodeLaunch, encodeLaunch, type Launch } from '../../../src/sandbox/launch.ts';
import { encodeFilter } from '../../../src/sandbox/linux/assemble-filters.ts';
import { READ, READ_WRITE, WRITE } from '../../../src/sandbox/plan.ts';
import type { Policy } from '../../../src/sandbox/policy.ts';
import { fakeFacts, fakeWorld } from './fake-facts.ts';

function policy(changes: Partial<Policy> = {}): Policy {
  return {
    command: ['sh' as Bytes],
    grants: [],
    overrides: [],
    sockets: [],
    tracked: [],
    passedVariables: [],
    deniedVariables: [],
    setVariables: new Map(),
    temporaryDirectory: '/tmp/nono-x' as Bytes,
    network: { mode: 'allowed' },
    asks: false,
    isBestEffort: false,
    profile: 'default',
    excludes: { patterns: [], globs: [] },
    ...changes,
  };
}

describe('buildPlan()', () => {
  test('unites grants of one path, whatever it was called', () => {
    const world = fakeWorld(['/home/u/data/', '/home/u/link -> data']);
    const grants = [
      { path: '../data' as Bytes, access: READ, kind: 'directory', option: '--read' },
      { path: '../link' as Bytes, access: WRITE, kind: 'directory', option: '--write' },
    ] as const;

    const plan = buildPlan(policy({ grants }), world);

    expect(plan.rules.filter(({ path }) => path === '/home/u/data')).toEqual([
      { path: '/home/u/data', isDirectory: true, access: READ_WRITE, origin: 'grant' },
    ]);
    expect(plan.writableGrants).toEqual(['/home/u/data']);
  });

  test('survives JSON', () => {
    const plan = buildPlan(policy(), fakeWorld([]));

    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test('lets streams be opened again with the access that they have, sensitive places excepted', () => {
    const streams = [
      { path: '/dev/pts/3' as Bytes, canRead: true, canWrite: true },
      { path: '/home/u/out.log' as Bytes, canRead: false, canWrite: true },
      { path: '/home/u/.nono/x' as Bytes, canRead: true, canWrite: true },
    ];
    const facts = fakeFacts(['/usr/bin/sh', '/home/u/project/', '/home/u/out.log', '/home/u/.nono/x', '/dev/pts/3'], streams);

    const plan = buildPlan(policy(), fakeWorld([], { facts }));

    expect(plan.rules.filter(({ origin }) => origin === 'stream')).toEqual([
      { path: '/home/u/out.log', isDirectory: false, access: WRITE, origin: 'stream' },
    ]);
  });
});

describe('encodeLaunch()', () => {
  test('carries every byte', () => {
    const all = String.fromCharCode(...Array.from({ length: 255 }, (_, at) => at + 1)) as Bytes;
    const launch: Launch = {
      supervisorPid: 7,
      landlock: {
        handledFs: 1,
        handledNet: 0,
        scoped: 3,
        rules: [{ path: all, rights: 1, isRequired: true }],
        ports: [{ port: 443, rights: 2 }],
      },
      filter: encodeFilter([[0x06, 0, 0, 0x7fff0000]]),
      mediation: all,
      capabilities: 0,
      workingDirectory: all,
      executables: [all],
      command: [all],
      environment: [all],
      signals: { ignored: [1], blocked: [] },
    };

    expect(decodeLaunch(encodeLaunch(launch))).toEqual(launch);
  });
});
