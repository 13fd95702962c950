import { type Bytes, bytesFromStored, type StoredBytes, storeBytes } from '../bytes.ts';
import { baseName, joinPath } from '../paths.ts';
import { decideIgnored, type IgnoreFile, parseIgnoreFile } from './ignore-file.ts';

/**
 * What is left out of the snapshots of one root.
 *
 * The baseline collects the rules while it walks; they are stored with the session and every later
 * snapshot of it reads them from there, so that a .gitignore that the command writes hides nothing.
 */
export const DEFAULT_EXCLUDED_NAMES: readonly Bytes[] = [
  'node_modules',
  '.next',
  '__pycache__',
  'target',
  '.venv',
  '.git',
  '.hg',
  '.svn',
  '.DS_Store',
] as unknown as readonly Bytes[];

/** How the manifest holds the rules of a root. */
export interface StoredRules {
  /** Names that are left out at any depth. */
  readonly names: readonly StoredBytes[];
  /** Patterns of the profile and the command line, in the syntax of ignore files, relative to the root. */
  readonly patterns: readonly StoredBytes[];
  /** The ignore files, each with its directory relative to the root, or the root relative to its directory. */
  readonly ignore_files: readonly {
    readonly directory: StoredBytes;
    readonly root_below: StoredBytes;
    readonly text: StoredBytes;
  }[];
  /** Paths that a rule leaves out and that the git index holds, with the directories that lead to them. */
  readonly kept: readonly StoredBytes[];
}

interface PlacedIgnoreFile {
  /** Where the file stands, relative to the root; '' also for one above it. */
  readonly directory: Bytes;
  /** For one above the root: the root's path from its directory. */
  readonly rootBelow: Bytes;
  readonly text: Bytes;
  readonly patterns: IgnoreFile;
}

/** The ignore files that hold for one directory, the outermost first. */
export type RuleScope = readonly PlacedIgnoreFile[];

/** What a run leaves out besides the default names and what ignore files say. */
export interface Exclusions {
  /** Lines in the syntax of ignore files, relative to each root; the last one that fits decides. */
  readonly patterns: readonly Bytes[];
  /** Nothing is left out, whatever default names and ignore files say; `patterns` is empty then. */
  readonly isNothing: boolean;
}

export const DEFAULT_EXCLUSIONS: Exclusions = { patterns: [], isNothing: false };

/**
 * The line of an ignore file that means what a shell glob means: of a name at any depth, or, with a slash in it, of a
 * path below the root.
 */
export function patternOfGlob(glob: Bytes): Bytes {
  // A blank at the end is a part of a name, and so are ! and # at the start.
  const plain = glob
    .replace(/^\//, '')
    .replace(/^[!#]/, '\\$&')
    .replace(/[ \t]+$/, (blanks) => blanks.replace(/./g, '\\$&'));
  return (glob.replace(/\/$/, '').includes('/') ? `/${plain}` : plain) as Bytes;
}

/** What of one root is left out: names at any depth, patterns, ignore files, and what is kept in spite of them. */
export class Rules {
  readonly #names: ReadonlySet<string>;
  readonly #patternTexts: readonly Bytes[];
  readonly #patterns: IgnoreFile;
  readonly #placed = new Map<string, PlacedIgnoreFile[]>();
  readonly #kept: Set<string>;
  #isOpen = true;

  /** What a new session begins with. */
  static start({ patterns, isNothing }: Exclusions): Rules {
    const rules = new Rules(isNothing ? [] : DEFAULT_EXCLUDED_NAMES, patterns);
    rules.#isOpen = !isNothing;
    return rules;
  }

  constructor(names: readonly Bytes[], patterns: readonly Bytes[], kept: readonly Bytes[] = []) {
    this.#names = new Set(names);
    this.#patternTexts = patterns;
    this.#patterns = parseIgnoreFile(patterns.join('\n') as Bytes);
    this.#kept = new Set(kept);
  }

  /** Adds the ignore file of `directory`, unless nothing is left out; `rootBelow` is not '' for a file above the root. */
  addIgnoreFile(directory: Bytes, rootBelow: Bytes, text: Bytes): void {
    if (!this.#isOpen) return;
    const placed = { directory, rootBelow, text, patterns: parseIgnoreFile(text) };
    this.#placed.set(directory, [...(this.#placed.get(directory) ?? []), placed]);
  }

  /** The scope of `directory`, whose parent has `parent`; the root has none above it. */
  enter(parent: RuleScope, directory: Bytes): RuleScope {
    const here = this.#placed.get(directory);
    return here === undefined ? parent : [...parent, ...here];
  }

  /** Keeps what the git index holds in spite of the rules. */
  keep(path: Bytes): void {
    this.#kept.add(path);
  }

  /** Whether the user said so: then it is not kept either. */
  isLeftOutByPattern(path: Bytes, isDirectory: boolean): boolean {
    return decideIgnored(this.#patterns, path, baseName(path), isDirectory) === true;
  }

  isKept(path: Bytes): boolean {
    return this.#kept.has(path);
  }

  /**
   * Whether the rules leave out `name` in `parent`, which has `scope` and is itself not left out.
   * A path that is kept must be asked for first.
   */
  isExcluded(scope: RuleScope, parent: Bytes, name: Bytes, isDirectory: boolean): boolean {
    // Most trees have names only to compare: this is asked of every entry.
    if (this.#patterns.isEmpty && scope.length === 0) return this.#names.has(name);
    const path = joinPath(parent, name);
    const byPattern = decideIgnored(this.#patterns, path, name, isDirectory);
    if (byPattern !== undefined) return byPattern;
    if (this.#names.has(name)) return true;
    for (let at = scope.length - 1; at >= 0; at--) {
      const { directory, rootBelow, patterns } = scope[at] as PlacedIgnoreFile;
      const relative = directory === '' ? path : path.slice(directory.length + 1);
      const tested = (rootBelow === '' ? relative : `${rootBelow}/${path}`) as Bytes;
      const decision = decideIgnored(patterns, tested, name, isDirectory);
      if (decision !== undefined) return decision;
    }
    return false;
  }

  /** All that the rules are made of. */
  describe() {
    return {
      names: [...this.#names] as Bytes[],
      patterns: this.#patternTexts,
      ignoreFiles: [...this.#placed.values()].flat().map(({ directory, rootBelow, text }) => ({ directory, rootBelow, text })),
      kept: [...this.#kept].sort() as Bytes[],
    };
  }

  toStored(): StoredRules {
    const { names, patterns, ignoreFiles, kept } = this.describe();
    return {
      names: names.map(storeBytes),
      patterns: patterns.map(storeBytes),
      ignore_files: ignoreFiles.map(({ directory, rootBelow, text }) => ({
        directory: storeBytes(directory),
        root_below: storeBytes(rootBelow),
        text: storeBytes(text),
      })),
      kept: kept.map(storeBytes),
    };
  }

  /** @returns undefined when `stored` is not what toStored() gives. */
  static fromStored(stored: unknown): Rules | undefined {
    if (typeof stored !== 'object' || stored === null) return undefined;
    const fields = stored as Partial<Record<keyof StoredRules, unknown>>;
    const names = bytesList(fields.names);
    const patterns = bytesList(fields.patterns);
    const kept = bytesList(fields.kept);
    if (names === undefined || patterns === undefined || kept === undefined) return undefined;
    if (!Array.isArray(fields.ignore_files)) return undefined;
    const rules = new Rules(names, patterns, kept);
    for (const file of fields.ignore_files as readonly (Record<string, unknown> | null)[]) {
      if (file === null) return undefined;
      const directory = bytesFromStored(file['directory']);
      const rootBelow = bytesFromStored(file['root_below']);
      const text = bytesFromStored(file['text']);
      if (directory === undefined || rootBelow === undefined || text === undefined) return undefined;
      rules.addIgnoreFile(directory, rootBelow, text);
    }
    return rules;
  }
}

function bytesList(value: unknown): Bytes[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list = value.map(bytesFromStored);
  return list.every((item) => item !== undefined) ? list : undefined;
}
