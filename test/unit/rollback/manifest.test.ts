import { describe, expect, test } from 'vitest';
import { DamageError, StateError } from '../../../src/errors.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../../../src/rollback/manifest.ts';
import { hexHash } from '../../../src/rollback/objects.ts';
import { loadAdapters } from '../../support/adapters.ts';
import { SAMPLE_MANIFEST as MANIFEST, SAMPLE_RULES } from '../../support/sample-manifest.ts';

const { hash } = await loadAdapters();

type Document = Record<string, unknown>;

function documentOf(data: Buffer): Document {
  const { seal: _, ...document } = JSON.parse(data.toString()) as Document;
  return document;
}

/** What somebody gets who edits a manifest and knows how to seal it again. */
function sealed(document: Document): Buffer {
  const seal = hexHash(hash.sha256(Buffer.from(JSON.stringify(document))));
  return Buffer.from(`${JSON.stringify({ ...document, seal }, undefined, 1)}\n`);
}

function decode(data: Uint8Array): Manifest {
  return decodeManifest(data, 'the/manifest.json', hash);
}

describe('encodeManifest() and decodeManifest()', () => {
  test('give back every field', () => {
    const back = decode(encodeManifest(MANIFEST, hash));
    expect({ ...back, roots: [] }).toEqual({ ...MANIFEST, roots: [] });
    expect(back.roots.map(({ path }) => path)).toEqual(MANIFEST.roots.map(({ path }) => path));
    expect(back.roots[0]?.rules.toStored()).toEqual(SAMPLE_RULES.toStored());
    expect(encodeManifest(back, hash)).toEqual(encodeManifest(MANIFEST, hash));
  });

  test('give back what is not there as undefined', () => {
    const open: Manifest = {
      ...MANIFEST,
      kind: 'restore',
      status: 'open',
      restores: MANIFEST.id,
      endedMs: undefined,
      exitCode: undefined,
      signal: undefined,
      heartbeatMs: 7,
      counts: undefined,
      roots: [],
    };
    expect(decode(encodeManifest(open, hash))).toEqual(open);
  });
});

describe('decodeManifest()', () => {
  test('ignores fields that it does not know', () => {
    const document = documentOf(encodeManifest(MANIFEST, hash));
    expect(decode(sealed({ ...document, colour: 'blue', later: { a: [1] } })).id).toBe(MANIFEST.id);
  });

  test('refuses a newer format with an error of its own, whatever else is in it', () => {
    for (const document of [{ format: 2 }, { ...documentOf(encodeManifest(MANIFEST, hash)), format: 99 }]) {
      expect(() => decode(sealed(document))).toThrow(StateError);
      expect(() => decode(Buffer.from(JSON.stringify(document)))).toThrow(/format is \d+, this nono knows 1/);
    }
  });

  test('refuses at once one that is nested so deep that to write it again would take minutes', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const data = Buffer.from(`{"format":1,"later":${deep},"seal":""}`);
    expect(() => decode(data)).toThrow('it is nested deeper than nono nests anything');
  });

  test('finds every flipped bit', () => {
    const data = encodeManifest(MANIFEST, hash);
    for (let at = 0; at < data.length; at++) {
      for (let bit = 1; bit < 256; bit *= 2) {
        data[at] = (data[at] as number) ^ bit;
        expect(() => decode(data)).toThrow(/^Cannot read "the\/manifest.json"/);
        data[at] = (data[at] as number) ^ bit;
      }
    }
  });

  test('refuses a manifest that is cut anywhere or goes on', () => {
    const data = encodeManifest(MANIFEST, hash);
    for (let length = 0; length < data.length; length++) expect(() => decode(data.subarray(0, length))).toThrow(DamageError);
    for (const more of ['\n', ' ', '\0', '{}'])
      expect(() => decode(Buffer.concat([data, Buffer.from(more)]))).toThrow(DamageError);
  });

  test.for(['', 'null', '[]', '"text"', '1', '{}', '{"seal":"x"}', '{"format":1}', '\xef\xbb\xbf{}'])('refuses %j', (text) => {
    expect(() => decode(Buffer.from(text, 'latin1'))).toThrow(DamageError);
  });

  test('refuses times that are no dates', () => {
    const document = documentOf(encodeManifest(MANIFEST, hash));
    for (const name of ['started_ms', 'ended_ms', 'heartbeat_ms'])
      expect(() => decode(sealed({ ...document, [name]: 8_640_000_000_000_001 }))).toThrow(`field "${name}" is wrong`);
  });

  const rootWith = (edit: Document) => ({ roots: [{ path: '/a', rules: SAMPLE_RULES.toStored(), ...edit }] });
  const snapshotWith = (edit: Document) => {
    const [first] = documentOf(encodeManifest(MANIFEST, hash))['snapshots'] as Document[];
    return { snapshots: [{ ...first, ...edit }] };
  };
  test.for([
    ...[
      'session_id',
      'kind',
      'status',
      'run_id',
      'command',
      'workdir',
      'profile',
      'started_ms',
      'durable',
      'roots',
      'snapshots',
    ].map((field) => ({ field, edit: { [field]: null } })),
    { field: 'restores', edit: { restores: 5 } },
    { field: 'kind', edit: { kind: 'other' } },
    { field: 'status', edit: { status: 'running' } },
    { field: 'command', edit: { command: ['a', 5] } },
    { field: 'command', edit: { command: ['a\0'] } },
    { field: 'command', edit: { command: [{ base64: 5 }] } },
    { field: 'workdir', edit: { workdir: { text: 'x' } } },
    { field: 'started_ms', edit: { started_ms: -1 } },
    { field: 'started_ms', edit: { started_ms: 2 ** 53 } },
    { field: 'started_ms', edit: { started_ms: 1.5 } },
    { field: 'started_ms', edit: { started_ms: '1' } },
    { field: 'exit_code', edit: { exit_code: 'one' } },
    { field: 'signal', edit: { signal: 9 } },
    { field: 'durable', edit: { durable: 'yes' } },
    { field: 'counts', edit: { counts: 5 } },
    { field: 'counts.created', edit: { counts: { created: -1, modified: 0, deleted: 0, modeChanged: 0 } } },
    { field: 'roots', edit: { roots: {} } },
    { field: 'roots', edit: { roots: [null] } },
    { field: 'roots.path', edit: rootWith({ path: 'relative' }) },
    { field: 'roots.path', edit: rootWith({ path: '/a/../b' }) },
    { field: 'roots.path', edit: rootWith({ path: '/a//b' }) },
    { field: 'roots.path', edit: rootWith({ path: '/a\0' }) },
    { field: 'roots.path', edit: rootWith({ path: 5 }) },
    { field: 'roots.rules', edit: rootWith({ rules: null }) },
    { field: 'roots.rules', edit: rootWith({ rules: { ...SAMPLE_RULES.toStored(), names: [5] } }) },
    { field: 'roots.rules', edit: rootWith({ rules: { ...SAMPLE_RULES.toStored(), kept: 'x' } }) },
    { field: 'roots.rules', edit: rootWith({ rules: { ...SAMPLE_RULES.toStored(), ignore_files: [null] } }) },
    { field: 'roots.rules', edit: rootWith({ rules: { ...SAMPLE_RULES.toStored(), ignore_files: [{ directory: '' }] } }) },
    { field: 'snapshots.number', edit: snapshotWith({ number: 1 }) },
    { field: 'snapshots.root_snapshot', edit: snapshotWith({ root_snapshot: 1 }) },
    { field: 'snapshots.root_offset', edit: snapshotWith({ root_offset: -1 }) },
    { field: 'snapshots.merkle_root', edit: snapshotWith({ merkle_root: 'xyz' }) },
    { field: 'snapshots.merkle_root', edit: snapshotWith({ merkle_root: 'G'.repeat(64) }) },
    { field: 'snapshots.nodes_sha256', edit: snapshotWith({ nodes_sha256: '../'.repeat(21) }) },
    { field: 'snapshots.label', edit: snapshotWith({ label: null }) },
  ])('names the field $field when it is $edit', ({ field, edit }) => {
    const document = { ...documentOf(encodeManifest(MANIFEST, hash)), ...edit };
    expect(() => decode(sealed(document))).toThrow(new DamageError(`Cannot read "the/manifest.json": field "${field}" is wrong`));
  });
});
