import type { Bytes } from '../bytes.ts';

/** The keys of `[filesystem]`. */
const PATH_KEYS = [
  'allow',
  'read',
  'write',
  'create',
  'allow_file',
  'read_file',
  'write_file',
  'allow_socket',
  'override_deny',
] as const;
export type PathKey = (typeof PATH_KEYS)[number];

/** A text of a profile and its `FILE:LINE`, so that complaints of later steps can name it. */
export interface SourcedText {
  readonly text: string;
  readonly place: string;
}

export type WorkdirAccess = 'none' | 'read' | 'write' | 'readwrite';

/** What a profile and all that it extends ask for; paths are not expanded. */
export interface Profile {
  /** By name, or by path as it was given. */
  readonly name: string;
  readonly description: string;
  /** The files that it was made of, each after what it extends. */
  readonly files: readonly string[];
  /** Those of them that are the user's, as paths. */
  readonly sources: readonly Bytes[];
  readonly asks: boolean;
  readonly workdirAccess: WorkdirAccess;
  readonly paths: Readonly<Record<PathKey, readonly SourcedText[]>>;
  /** `create_file`: what a file has in it when it is made, by its path. */
  readonly madeFiles: ReadonlyMap<string, SourcedText>;
  readonly blocksNetwork: boolean | 'loopback';
  readonly allowedVariables: readonly SourcedText[];
  readonly deniedVariables: readonly SourcedText[];
  readonly setVariables: ReadonlyMap<string, SourcedText>;
  readonly excludePatterns: readonly SourcedText[];
  readonly excludeGlobs: readonly SourcedText[];
  readonly tracked: readonly SourcedText[];
}

/** The name of the profile that counts where none is named. */
export const DEFAULT_PROFILE = 'default';

/** Asks for nothing: what everything is added to. */
export const EMPTY_PROFILE: Profile = {
  name: DEFAULT_PROFILE,
  description: '',
  files: [],
  sources: [],
  asks: false,
  workdirAccess: 'none',
  paths: {
    allow: [],
    read: [],
    write: [],
    create: [],
    allow_file: [],
    read_file: [],
    write_file: [],
    allow_socket: [],
    override_deny: [],
  },
  madeFiles: new Map(),
  blocksNetwork: false,
  allowedVariables: [],
  deniedVariables: [],
  setVariables: new Map(),
  excludePatterns: [],
  excludeGlobs: [],
  tracked: [],
};

/** One list for each key of `[filesystem]`. */
export function mapPaths(make: (key: PathKey) => readonly SourcedText[]): Profile['paths'] {
  return Object.fromEntries(PATH_KEYS.map((key) => [key, make(key)])) as unknown as Profile['paths'];
}
