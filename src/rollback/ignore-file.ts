import type { Bytes } from '../bytes.ts';
import { compileGlob, type Matcher } from './wildmatch.ts';

/** One line of an ignore file. */
interface IgnorePattern {
  readonly isNegated: boolean;
  readonly directoriesOnly: boolean;
  /** A pattern without a slash matches the last component anywhere below its file. */
  readonly matchesName: boolean;
  readonly matches: Matcher;
}

/** The patterns of one file, relative to the directory that it stands in. */
export type IgnoreFile = readonly IgnorePattern[];

/** Parses the text of a .gitignore file as gitignore(5) says; lines that can match nothing are dropped. */
export function parseIgnoreFile(text: Bytes): IgnoreFile {
  const withoutMark = text.startsWith('\xef\xbb\xbf') ? text.slice(3) : text;
  const patterns: IgnorePattern[] = [];
  for (const line of withoutMark.split('\n')) {
    // Git's patterns end at a NUL.
    const [shown = ''] = (line.endsWith('\r') ? line.slice(0, -1) : line).split('\0', 1);
    const pattern = parseLine(shown);
    if (pattern !== undefined) patterns.push(pattern);
  }
  return patterns;
}

function parseLine(line: string): IgnorePattern | undefined {
  if (line.startsWith('#')) return undefined;
  let rest = trimTrailingSpaces(line);
  const isNegated = rest.startsWith('!');
  if (isNegated) rest = rest.slice(1);
  const directoriesOnly = rest.endsWith('/');
  if (directoriesOnly) rest = rest.slice(0, -1);
  if (rest === '') return undefined;
  const matchesName = !rest.includes('/');
  const matches = compileGlob(rest.startsWith('/') ? rest.slice(1) : rest);
  return matches === undefined ? undefined : { isNegated, directoriesOnly, matchesName, matches };
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
  for (let at = file.length - 1; at >= 0; at--) {
    const pattern = file[at] as IgnorePattern;
    if (pattern.directoriesOnly && !isDirectory) continue;
    if (pattern.matches(pattern.matchesName ? name : path)) return !pattern.isNegated;
  }
  return undefined;
}
