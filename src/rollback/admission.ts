import type { Bytes } from '../bytes.ts';
import { joinPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import { RECORD, RECORD_KINDS, readUint64 } from '../ports/listing.ts';
import type { CaptureInput, CaptureRoot } from './capture-input.ts';
import type { SkipReason } from './entry.ts';
import { KIND_CODES } from './node-codec.ts';
import type { RuleScope } from './rules.ts';
import { readSmallFile } from './small-file.ts';

/** Deeper directories are skipped: no real tree has them, and the walk needs stack for each level. */
const DEPTH_MAXIMUM = 1000;
const EMPTY = '' as Bytes;

/** Where in a root the walk is. */
export interface Level {
  readonly path: Bytes;
  readonly scope: RuleScope;
  readonly depth: number;
  /** True below a directory that is left out but leads to something that git tracks. */
  readonly isInsideExcluded: boolean;
}

/** What of the limits is used up; one for all roots of a snapshot. */
export interface Counters {
  entries: number;
  /** Of the files that may be stored. */
  bytes: number;
}

/** What of one root a snapshot takes: by its rules, and by the limits. */
export class Admission {
  readonly #input: Pick<CaptureInput, 'isForeign' | 'limits'>;
  readonly #root: CaptureRoot;
  readonly #counters: Counters;

  constructor(input: Pick<CaptureInput, 'isForeign' | 'limits'>, root: CaptureRoot, counters: Counters) {
    this.#input = input;
    this.#root = root;
    this.#counters = counters;
  }

  isExcluded(level: Level, name: Bytes, isDirectory: boolean): boolean {
    return level.isInsideExcluded || this.#root.rules.isExcluded(level.scope, level.path, name, isDirectory);
  }

  /**
   * Mounts and limits. What the previous snapshot of the session holds is never left out for a limit.
   *
   * @param before The kind that the previous snapshot has there.
   */
  reasonToSkip(bytes: Buffer, at: number, depth: number, before: number | undefined): SkipReason | undefined {
    if (bytes[at + RECORD.isMountPoint] === 1) return 'mount';
    const counters = this.#counters;
    counters.entries += 1;
    if (!this.#input.isForeign && before !== undefined && before !== KIND_CODES.skipped) return undefined;
    const { maxEntries, maxFileBytes, maxSessionBytes } = this.#input.limits;
    if (counters.entries > maxEntries || depth >= DEPTH_MAXIMUM) return 'entry-limit';
    if (bytes[at + RECORD.kind] !== RECORD_KINDS.file) return undefined;
    const sizeBytes = readUint64(bytes, at + RECORD.size);
    if (sizeBytes > maxFileBytes) return 'file-limit';
    if (counters.bytes + sizeBytes > maxSessionBytes) return 'session-limit';
    counters.bytes += sizeBytes;
    return undefined;
  }

  /** Of what is excluded: whether it is taken all the same, because git tracks it or a rule says so. */
  isKept(path: Bytes, isDirectory: boolean): boolean {
    const { rules, collect } = this.#root;
    if (rules.isLeftOutByPattern(path, isDirectory)) return false;
    if (rules.isKept(path)) return true;
    const isTracked = isDirectory ? collect?.hasBelow(path) : collect?.isFile(path);
    if (isTracked !== true) return false;
    rules.keep(path);
    return true;
  }

  /** At the baseline: the ignore file of a directory becomes rules. @param names What is in the directory. */
  collectRules(directory: Directory, names: readonly Bytes[], level: Level): void {
    const { collect, rules, path } = this.#root;
    if (collect === undefined) return;
    if (level.path !== '' && names.includes('.git' as Bytes)) collect.addWorkTree(joinPath(path, level.path));
    if (level.isInsideExcluded || !names.includes('.gitignore' as Bytes)) return;
    const text = readSmallFile(directory, '.gitignore' as Bytes);
    if (text !== undefined) rules.addIgnoreFile(level.path, EMPTY, text);
  }
}
