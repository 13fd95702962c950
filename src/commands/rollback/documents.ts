import { type Bytes, jsonPath, textFromBytes } from '../../bytes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Change } from '../../rollback/compare.ts';
import { SKIP_TEXTS } from '../../rollback/entry.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import { hexHash } from '../../rollback/objects.ts';
import { type SnapshotTree, walkTree } from '../../rollback/snapshot-tree.ts';
import { formatTimestamp } from '../../time.ts';

/** The JSON documents of the rollback commands; OUTPUT.md lists their fields. */

function timestamp(clock: Clock, epochMs: number | undefined): string | null {
  return epochMs === undefined ? null : formatTimestamp(epochMs, clock.utcOffsetMinutes(epochMs));
}

/** The fields that every document about a rollback session begins with. */
export function sessionFields(
  manifest: Manifest,
  {
    isAlive,
    isUnknown = false,
    diskSize,
    clock,
  }: {
    readonly isAlive: boolean;
    readonly isUnknown?: boolean | undefined;
    readonly diskSize: number;
    readonly clock: Clock;
  },
) {
  return {
    session_id: manifest.id,
    run_id: manifest.runId === '' ? null : manifest.runId,
    kind: manifest.kind,
    restores: manifest.restores ?? null,
    status: sessionStatus(manifest, { isAlive, isUnknown }),
    command: manifest.command.map(textFromBytes),
    workdir: textFromBytes(manifest.workingDirectory),
    profile: manifest.profile,
    started: timestamp(clock, manifest.startedMs),
    ended: timestamp(clock, manifest.endedMs),
    exit_code: manifest.exitCode ?? null,
    signal: manifest.signal ?? null,
    tracked_paths: manifest.roots.map(({ path }) => textFromBytes(path)),
    snapshot_count: manifest.snapshots.length,
    disk_size: diskSize,
    is_alive: isAlive && !isUnknown,
    durable: manifest.durable,
  };
}

/** `running`, `lost`, `interrupted`, `unknown`, `recovered` or `exited`. */
export function sessionStatus(
  { kind, status }: Manifest,
  { isAlive, isUnknown = false }: { readonly isAlive: boolean; readonly isUnknown?: boolean | undefined },
): string {
  if (status === 'complete') return 'exited';
  if (status === 'recovered') return 'recovered';
  if (isUnknown) return 'unknown';
  if (isAlive) return 'running';
  return kind === 'restore' ? 'interrupted' : 'lost';
}

export function countFields(manifest: Manifest) {
  const { counts } = manifest;
  if (counts === undefined) return null;
  return { created: counts.created, modified: counts.modified, deleted: counts.deleted, mode_changed: counts.modeChanged };
}

/** One change; `m`, times alone, is written as a change of type `~` with `metadata: true`. */
export function changeFields({ path, type, before, after }: Change) {
  const sizeDelta = sizeOf(after) - sizeOf(before);
  const fields = { ...jsonPath(path), type: type === 'm' ? '~' : type, size_delta: sizeDelta };
  return type === 'm' ? { ...fields, metadata: true } : fields;
}

function sizeOf(entry: Change['before']): number {
  return entry?.kind === 'file' ? entry.sizeBytes : 0;
}

/** The snapshots of a session, each with what changed since the one before it. */
export function snapshotFields(manifest: Manifest, changesOf: (number: number) => readonly Change[], clock: Clock) {
  return manifest.snapshots.map((snapshot) => ({
    number: snapshot.number,
    timestamp: timestamp(clock, snapshot.takenMs),
    parent: snapshot.parent ?? null,
    label: snapshot.label,
    file_count: snapshot.fileCount,
    merkle_root: hexHash(snapshot.merkleRoot),
    changes: snapshot.number === 0 ? [] : changesOf(snapshot.number).map(changeFields),
  }));
}

/** What a snapshot does not hold, with the reason. */
export function* skippedOf(tree: SnapshotTree): Generator<{ readonly path: Bytes; readonly reason: string }> {
  for (const { path, entry } of walkTree(tree)) {
    if (entry.kind === 'skipped' && entry.reason !== undefined && entry.reason !== 'untouched') {
      yield { path, reason: SKIP_TEXTS[entry.reason] };
    }
  }
}

export function skippedFields(trees: readonly SnapshotTree[]) {
  return trees.flatMap((tree, snapshot) =>
    Array.from(skippedOf(tree), ({ path, reason }) => ({ ...jsonPath(path), reason, snapshot })),
  );
}

/** The rules in force, root by root, as they are stored with the session. */
export function ruleFields({ roots }: Manifest) {
  const texts = (list: readonly Bytes[]) => list.map(textFromBytes);
  return roots.map(({ path, rules }) => {
    const { names, patterns, ignoreFiles, kept } = rules.describe();
    return {
      ...jsonPath(path),
      names: texts(names),
      patterns: texts(patterns),
      ignore_files: ignoreFiles.map(({ directory, rootBelow, text }) => ({
        directory: textFromBytes(directory),
        root_below: textFromBytes(rootBelow),
        text: textFromBytes(text),
      })),
      kept: texts(kept),
    };
  });
}
