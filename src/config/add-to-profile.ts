import { ConfigError } from '../errors.ts';
import { parseProfile } from './profile.ts';
import type { PROFILE_SCHEMA } from './profile-schema.ts';

/** The lists of paths that one more path is added to. */
export type PathList = Exclude<keyof (typeof PROFILE_SCHEMA)['filesystem'], 'create_file' | 'override_deny' | 'create'>;

const HEADER_REGEXP = /^\[filesystem\][ \t]*(?:#[^\n]*)?$/m;

/**
 * The text of a profile with one more path in a list of `[filesystem]`, comments and order as they were.
 *
 * @param text Undefined for a profile that is to be made.
 * @param extended What a new profile adds to.
 * @throws {ConfigError} when it cannot be added without knowing more of the file than its lines.
 */
export function addToProfile(
  text: string | undefined,
  { list, path, extended, fileName }: { list: PathList; path: string; extended: string; fileName: string },
): string {
  const before = text ?? `extends = ${JSON.stringify(extended)}\n`;
  const after = insert(before, list, path);
  const [had, has] = [before, after].map((one) => parseProfile(one, fileName).settings.filesystem[list].map((item) => item.text));
  // What looked like the list may have been something else, such as a line of a text.
  if (has === undefined || had === undefined || [...had, path].toSorted(byText).join('\n') !== has.toSorted(byText).join('\n')) {
    throw new ConfigError(`Cannot add to ${fileName}: it is written in a way that takes a person`, {
      hint: `Add ${JSON.stringify(path)} to \`${list}\` in [filesystem] yourself`,
    });
  }
  return after;
}

function insert(text: string, list: PathList, path: string): string {
  const item = JSON.stringify(path);
  const header = HEADER_REGEXP.exec(text);
  if (header === null) return `${text.replace(/\n*$/, '\n')}\n[filesystem]\n${list} = [${item}]\n`;
  const from = header.index + header[0].length;
  const rest = text.slice(from);
  const end = /^\[/m.exec(rest)?.index ?? rest.length;
  const known = new RegExp(`^${list}[ \\t]*=[ \\t]*\\[`, 'm').exec(rest.slice(0, end));
  if (known === null) return `${text.slice(0, from)}\n${list} = [${item}]${rest}`;
  const at = from + known.index + known[0].length;
  return `${text.slice(0, at)}${item}${/^\s*\]/.test(text.slice(at)) ? '' : ', '}${text.slice(at)}`;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
