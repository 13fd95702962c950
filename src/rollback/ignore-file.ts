import type { Bytes } from '../bytes.ts';
import { GlobIndex } from './glob-index.ts';
import { compileGlob, type Matcher } from './wildmatch.ts';

/** One line of an ignore file. */
interface IgnorePattern {
  /** Its place among them: a later one decides. */
  readonly at: number;
  readonly isNegated: boolean;
  readonly directoriesOnly: boolean;
  /** A pattern without a slash matches the last component anywhere below its file. */
  readonly matchesName: boolean;
  readonly matches: Matcher;
}

/** The patterns of one file, relative to the directory that it stands in. */
export interface IgnoreFile {
  readonly isEmpty: boolean;
  /** Without wildcards, by the name that they match, or by the path with a slash before it: a file may hold a hundred thousand of them. */
  readonly exact: ReadonlyMap<string, readonly IgnorePattern[]>;
  readonly hasExactPaths: boolean;
  /** All others, in their order; empty where they are `indexed`. */
  readonly globs: readonly IgnorePattern[];
  readonly indexed: Indexed | undefined;
}

/** Of more globs than can be tried with each name. */
interface Indexed {
  readonly byName: GlobIndex<IgnorePattern>;
  readonly byPath: GlobIndex<IgnorePattern>;
}

/** So many are tried in the time that it takes to look for the few that fit. */
const GLOBS_TRIED = 64;

const WILDCARD_REGEXP = /[*?[\\]/;

/**
 * Parses the text of a .gitignore file as gitignore(5) says.
 *
 * @param globsTried With more globs than that they are indexed.
 */
export function parseIgnoreFile(text: Bytes, globsTried = GLOBS_TRIED): IgnoreFile {
  const withoutMark = text.startsWith('\xef\xbb\xbf') ? text.slice(3) : text;
  const exact = new Map<string, IgnorePattern[]>();
  const globs: { readonly pattern: IgnorePattern; readonly word: string }[] = [];
  let [at, hasExactPaths] = [0, false];
  for (const line of withoutMark.split('\n')) {
    // Git's patterns end at a NUL.
    const [shown = ''] = (line.endsWith('\r') ? line.slice(0, -1) : line).split('\0', 1);
    const parsed = parseLine(shown, at);
    if (parsed === undefined) continue;
    at += 1;
    const { pattern, word } = parsed;
    if (WILDCARD_REGEXP.test(word)) {
      globs.push(parsed);
      continue;
    }
    const key = pattern.matchesName ? word : `/${word}`;
    hasExactPaths ||= !pattern.matchesName;
    const known = exact.get(key);
    if (known === undefined) exact.set(key, [pattern]);
    else known.push(pattern);
  }
  const indexed = globs.length > globsTried ? indexGlobs(globs) : undefined;
  return {
    isEmpty: at === 0,
    exact,
    hasExactPaths,
    globs: indexed === undefined ? globs.map(({ pattern }) => pattern) : [],
    indexed,
  };
}

function indexGlobs(globs: readonly { readonly pattern: IgnorePattern; readonly word: string }[]): Indexed {
  const indexed = { byName: new GlobIndex<IgnorePattern>(), byPath: new GlobIndex<IgnorePattern>() };
  for (const { pattern, word } of globs) (pattern.matchesName ? indexed.byName : indexed.byPath).add(word, pattern);
  return indexed;
}

function parseLine(line: string, at: number): { readonly pattern: IgnorePattern; readonly word: string } | undefined {
  if (line.startsWith('#')) return undefined;
  let rest = trimTrailingSpaces(line);
  const isNegated = rest.startsWith('!');
  if (isNegated) rest = rest.slice(1);
  const directoriesOnly = rest.endsWith('/');
  if (directoriesOnly) rest = rest.slice(0, -1);
  if (rest === '') return undefined;
  const matchesName = !rest.includes('/');
  const word = rest.startsWith('/') ? rest.slice(1) : rest;
  return { pattern: { at, isNegated, directoriesOnly, matchesName, matches: compiledLater(word) }, word };
}

/** Of a hundred thousand globs few are ever tried. One that can match nothing matches nothing. */
function compiledLater(word: string): Matcher {
  let matches: Matcher | undefined;
  return (text) => (matches ??= compileGlob(word) ?? (() => false))(text);
}

/** Spaces at the end do not count, except the one that a backslash protects. */
function trimTrailingSpaces(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === ' ') {
    let backslashes = 0;
    while (line[end - 2 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 1) break;
    end -= 1;
  }
  return line.slice(0, end);
}

/**
 * What the file says of a path relative to its directory: the last pattern that matches decides.
 *
 * @param name The path's last component.
 * @returns undefined when no pattern matches.
 */
export function decideIgnored(file: IgnoreFile, path: Bytes, name: Bytes, isDirectory: boolean): boolean | undefined {
  let decisive = lastOf(file.exact.get(name), isDirectory);
  if (file.hasExactPaths) {
    const byPath = lastOf(file.exact.get(`/${path}`), isDirectory);
    if (byPath !== undefined && (decisive === undefined || byPath.at > decisive.at)) decisive = byPath;
  }
  const tested = { path, name, isDirectory };
  decisive = lastMatch(file.globs, tested, decisive);
  if (file.indexed !== undefined) {
    for (const globs of file.indexed.byName.candidates(name)) decisive = lastMatch(globs, tested, decisive);
    for (const globs of file.indexed.byPath.candidates(path)) decisive = lastMatch(globs, tested, decisive);
  }
  return decisive === undefined ? undefined : !decisive.isNegated;
}

interface Tested {
  readonly path: Bytes;
  readonly name: Bytes;
  readonly isDirectory: boolean;
}

/** The last of `globs` that matches, unless `decisive` comes behind it. */
function lastMatch(
  globs: readonly IgnorePattern[],
  { path, name, isDirectory }: Tested,
  decisive: IgnorePattern | undefined,
): IgnorePattern | undefined {
  for (let index = globs.length - 1; index >= 0; index--) {
    const pattern = globs[index] as IgnorePattern;
    if (decisive !== undefined && pattern.at < decisive.at) return decisive;
    if (pattern.directoriesOnly && !isDirectory) continue;
    if (pattern.matches(pattern.matchesName ? name : path)) return pattern;
  }
  return decisive;
}

function lastOf(patterns: readonly IgnorePattern[] | undefined, isDirectory: boolean): IgnorePattern | undefined {
  return patterns?.findLast(({ directoriesOnly }) => isDirectory || !directoriesOnly);
}
