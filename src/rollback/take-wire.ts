import type { Bytes } from '../bytes.ts';
import { EXIT, NonoError, SystemError } from '../errors.ts';
import type { CaptureLimits } from './capture-input.ts';
import type { NodeReference, SkipReason } from './entry.ts';
import { Rules, type StoredRules } from './rules.ts';
import type { PlaceOfTree } from './snapshot-tree.ts';
import type { TakeInput, TakenNodes } from './take-input.ts';

/**
 * A snapshot that another process takes: the supervisor's loop goes on meanwhile, and the other one can be started for this
 * work alone (platform/bun/take-process.ts). Both are of the same executable, so what they say has no version; names are bytes.
 */
export interface TakeRequest {
  readonly roots: readonly { readonly path: Bytes; readonly rules: StoredRules; readonly tops: readonly Bytes[] | null }[];
  readonly number: number;
  readonly previous: PlaceOfTree | null;
  /** Absolute paths. */
  readonly objects: Bytes | null;
  readonly earlierObjects: Bytes | null;
  readonly limits: { readonly [Name in keyof CaptureLimits]: number | null };
}

/** What comes back, one after the other; the bytes of the nodes follow `taken`. */
export type TakeReport =
  | { readonly kind: 'progress'; readonly entries: number }
  | { readonly kind: 'taken'; readonly taken: TakenHeader }
  | { readonly kind: 'failed'; readonly call: string; readonly errno: string; readonly message: string };

/** The last report of a process that takes a snapshot, and the bytes of the nodes, which are there until this is disposed of. */
export interface TakenElsewhere extends Disposable {
  readonly report: TakeReport;
  /** Each is good until the next is asked for. */
  readonly pieces: Iterable<Buffer>;
}

/** TakenNodes as JSON has it. */
export interface TakenHeader {
  readonly nodesBytes: number;
  readonly nodesHash: Bytes;
  readonly root: NodeReference;
  readonly merkleRoot: Bytes;
  readonly storedBytes: number;
  readonly fileCount: number;
  readonly entryCount: number;
  readonly sizeBytes: number;
  readonly skipped: readonly (readonly [SkipReason, number])[];
  readonly roots: readonly { readonly rules: StoredRules; readonly tops: readonly Bytes[] }[];
}

/** @returns undefined for what only this process can take: a tree that is on no disk comes before it. */
export function encodeTake(input: TakeInput): TakeRequest | undefined {
  const { previous, limits } = input;
  if (previous !== undefined && previous.place === undefined) return undefined;
  const finite = (limit: number) => (Number.isFinite(limit) ? limit : null);
  return {
    roots: input.roots.map(({ path, rules, collect }) => ({ path, rules: rules.toStored(), tops: collect?.tops ?? null })),
    number: input.number,
    previous: previous?.place ?? null,
    objects: input.objects?.path ?? null,
    earlierObjects: input.earlierObjects?.path ?? null,
    limits: {
      maxFileBytes: finite(limits.maxFileBytes),
      maxSessionBytes: finite(limits.maxSessionBytes),
      maxEntries: finite(limits.maxEntries),
    },
  };
}

export function readRules(stored: StoredRules): Rules {
  const rules = Rules.fromStored(stored);
  if (rules === undefined) throw new TypeError('Expected rules as another process of nono stores them');
  return rules;
}

/** In this process: what the other one has said, as if it had been done here. */
export function decodeTaken(header: TakenHeader, taken: Pick<TakenElsewhere, 'pieces' | typeof Symbol.dispose>): TakenNodes {
  const { fileCount, entryCount, sizeBytes, skipped } = header;
  return {
    pieces: taken.pieces,
    nodesBytes: header.nodesBytes,
    nodesHash: header.nodesHash,
    root: header.root,
    merkleRoot: header.merkleRoot,
    storedBytes: header.storedBytes,
    totals: { fileCount, entryCount, sizeBytes, skipped: new Map(skipped) },
    roots: header.roots.map(({ rules, tops }) => ({ rules: readRules(rules), tops })),
    [Symbol.dispose]: () => taken[Symbol.dispose](),
  };
}

/** The failure that the other process met. */
export function takeFailure({ call, errno, message }: Extract<TakeReport, { readonly kind: 'failed' }>): Error {
  if (errno !== '') return new SystemError(call, errno);
  return new NonoError('E_SNAPSHOT', EXIT.nonoFailed, `Cannot take a snapshot: ${message}`, {
    hint: 'Run it again; `nono rollback verify --all` checks what is stored',
  });
}
