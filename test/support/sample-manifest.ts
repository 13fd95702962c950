import type { Bytes } from '../../src/bytes.ts';
import type { Manifest } from '../../src/rollback/manifest.ts';
import { Rules } from '../../src/rollback/rules.ts';

/** Of each kind one, with bytes that are no UTF-8. */
export const SAMPLE_RULES = new Rules(['.git' as Bytes, 'bad\xff' as Bytes], ['*.log' as Bytes], ['kept/file' as Bytes]);
SAMPLE_RULES.addIgnoreFile('' as Bytes, 'root' as Bytes, 'above\n' as Bytes);
SAMPLE_RULES.addIgnoreFile('sub' as Bytes, '' as Bytes, '\xff\n' as Bytes);

/** A manifest that has everything. */
export const SAMPLE_MANIFEST: Manifest = {
  id: '20260219-091403-90291' as Bytes,
  kind: 'run',
  status: 'complete',
  runId: 'a3f7c2',
  restores: undefined,
  command: ['sh', '-c', 'bad\xff\n'] as Bytes[],
  workingDirectory: '/home/caf\xc3\xa9' as Bytes,
  profile: 'default',
  startedMs: 1_771_492_443_120,
  endedMs: 1_771_492_445_000,
  exitCode: 143,
  signal: 'SIGTERM',
  durable: true,
  prompts: true,
  heartbeatMs: undefined,
  roots: [{ path: '/home/caf\xc3\xa9/root' as Bytes, rules: SAMPLE_RULES }],
  snapshots: [0, 1].map((number) => ({
    number,
    takenMs: 5 + number,
    parent: number === 0 ? undefined : 0,
    label: 'baseline',
    root: { snapshot: number, offset: 32 },
    merkleRoot: 'm'.repeat(32) as Bytes,
    nodesHash: '\xff'.repeat(32) as Bytes,
    fileCount: 3,
    entryCount: 4,
    sizeBytes: 5,
    storedBytes: 6,
  })),
  counts: { created: 1, modified: 2, deleted: 3, modeChanged: 4 },
};
