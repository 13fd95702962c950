import { type Bytes, displayBytes } from '../bytes.ts';
import { joinPath } from '../paths.ts';
import { shellWord } from '../shell-word.ts';
import { isRunningKey, parseGitConfig } from './git-config.ts';
import { type GitFile, type GitRecord, REFTABLE } from './git-record.ts';

/** Something of a `.git` that is not as it was. */
export interface GitChange {
  readonly kind: 'head' | 'ref' | 'index' | 'config' | 'hook' | 'file';
  /** The top of the work tree. */
  readonly top: Bytes;
  /** Safe to show: `refs/heads/main moved from 1234567 to 89abcde`. */
  readonly text: string;
  /** What takes it back, a line of shell for each step; empty where nothing does. */
  readonly takeBack: readonly string[];
  /** Set when it can make git run something else than before: why. */
  readonly reason: string | undefined;
}

export interface GitContents {
  /** A kept content; undefined when it was too large or is damaged. */
  readonly read: (hash: Bytes) => Bytes | undefined;
  /** Absolute path of a kept content. */
  readonly pathOf: (hash: Bytes) => Bytes;
}

const SHOWN_HASH_DIGITS = 7;

/** What moved between two records of the same work trees. */
export function compareGit(before: readonly GitRecord[], after: readonly GitRecord[], contents: GitContents): GitChange[] {
  return before.flatMap((old) => {
    const now = after.find(({ top }) => top === old.top);
    return now === undefined ? [] : compareOne(old, now, contents);
  });
}

function compareOne(old: GitRecord, now: GitRecord, contents: GitContents): GitChange[] {
  const { top } = old;
  const git = (...words: readonly string[]) => ['git -C', shellWord(top), ...words].join(' ');
  const changes: GitChange[] = [];
  if (old.head !== now.head) {
    const text = now.head === '' ? 'HEAD is gone' : `HEAD moved from ${shownValue(old.head)} to ${shownValue(now.head)}`;
    changes.push({ kind: 'head', top, text, takeBack: [git(...setRef('HEAD' as Bytes, old.head))], reason: undefined });
  }
  // What is new goes first: git has no branch a beside a/b.
  const made = [...now.refs.keys()].filter((name) => !old.refs.has(name));
  for (const name of [...made, ...old.refs.keys()]) {
    const change = compareRef(name, old.refs.get(name), now.refs.get(name));
    if (change !== undefined) {
      const takeBack = change.words.length === 0 ? [] : [git(...change.words)];
      changes.push({ kind: 'ref', top, text: change.text, takeBack, reason: undefined });
    }
  }
  if (old.index !== now.index) {
    const text = 'the index changed (what is staged)';
    changes.push({ kind: 'index', top, text, takeBack: [git('reset --quiet')], reason: undefined });
  }
  for (const path of new Set([...old.files.keys(), ...now.files.keys()])) {
    changes.push(...compareFile({ old, path, contents, git }, old.files.get(path), now.files.get(path)));
  }
  return changes;
}

function shownValue(value: Bytes): string {
  if (/^[0-9a-f]{40,64}$/.test(value)) return value.slice(0, SHOWN_HASH_DIGITS);
  return displayBytes(value.replace(/^ref: (?:refs\/heads\/)?/, '') as Bytes);
}

function setRef(name: Bytes, value: Bytes): readonly string[] {
  const target = /^ref: (.+)$/.exec(value)?.[1];
  if (target !== undefined) return ['symbolic-ref', shellWord(name), shellWord(target as Bytes)];
  return ['update-ref --no-deref', shellWord(name), shellWord(value)];
}

function compareRef(
  name: Bytes,
  old: Bytes | undefined,
  now: Bytes | undefined,
): { readonly text: string; readonly words: readonly string[] } | undefined {
  if (old === now) return undefined;
  // The tables that a list names may be gone: none can be put back.
  if (name === REFTABLE)
    return { text: 'branches or HEAD may have moved, see `git reflog --all`: they are in a reftable', words: [] };
  const shown = displayBytes(name);
  if (old === undefined) return { text: `${shown} is new`, words: ['update-ref --no-deref -d', shellWord(name)] };
  if (now === undefined) return { text: `${shown} is gone`, words: setRef(name, old) };
  return { text: `${shown} moved from ${shownValue(old)} to ${shownValue(now)}`, words: setRef(name, old) };
}

interface FileComparison {
  readonly old: GitRecord;
  readonly path: Bytes;
  readonly contents: GitContents;
  readonly git: (...words: readonly string[]) => string;
}

function compareFile(comparison: FileComparison, old: GitFile | undefined, now: GitFile | undefined): GitChange[] {
  if (old?.hash === now?.hash && old?.mode === now?.mode) return [];
  const { path } = comparison;
  const isConfig = /(?:^|\/)config(?:\.worktree)?$/.test(path);
  if (isConfig && old?.hash !== now?.hash) {
    const found = compareConfig(comparison, old, now);
    if (found !== undefined) return found;
  }
  const isHook = /(?:^|\/)hooks\//.test(path);
  const place = joinPath(comparison.old.common, path);
  const what = old === undefined ? 'is new' : now === undefined ? 'is gone' : 'was changed';
  const runs = isHook && now !== undefined && (now.mode & 0o111) !== 0;
  const reason = runs ? 'git runs it as a hook' : isHook || now === undefined ? undefined : 'git runs what it names';
  const text = `${displayBytes(path)} ${what}`;
  return [
    { kind: isHook ? 'hook' : 'file', top: comparison.old.top, text, takeBack: putBack(place, old, comparison.contents), reason },
  ];
}

function putBack(place: Bytes, old: GitFile | undefined, contents: GitContents): string[] {
  if (old === undefined) return [`rm ${shellWord(place)}`];
  if (contents.read(old.hash) === undefined) return [];
  const mode = old.mode.toString(8).padStart(4, '0');
  return [`install -m ${mode} ${shellWord(contents.pathOf(old.hash))} ${shellWord(place)}`];
}

/** @returns undefined when a content is not there to be compared key by key. */
function compareConfig(
  { old: record, path, contents, git }: FileComparison,
  old: GitFile | undefined,
  now: GitFile | undefined,
): GitChange[] | undefined {
  const [oldText, newText] = [old, now].map((file) => (file === undefined ? ('' as Bytes) : contents.read(file.hash)));
  if (oldText === undefined || newText === undefined) return undefined;
  const [before, after] = [parseGitConfig(oldText), parseGitConfig(newText)];
  const file = joinPath(record.common, path);
  const config = (...words: readonly string[]) =>
    path === 'config' ? git('config', ...words) : git('config', `--file ${shellWord(file)}`, ...words);
  const changes: GitChange[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key) ?? [], after.get(key) ?? []];
    if (was.length === is.length && was.every((value, at) => value === is[at])) continue;
    const word = shellWord(key);
    const takeBack = is.length === 0 ? [] : [config('--unset-all', word)];
    for (const value of was) takeBack.push(config('--add', word, shellWord(value)));
    const shown = is.length === 0 ? 'is gone' : `is now ${is.map((value) => `"${displayBytes(value)}"`).join(', ')}`;
    const reason = isRunningKey(key) && is.length > 0 ? 'git runs or fetches what it names' : undefined;
    changes.push({
      kind: 'config',
      top: record.top,
      text: `${displayBytes(path)}: ${displayBytes(key)} ${shown}`,
      takeBack,
      reason,
    });
  }
  if (changes.length > 0) return changes;
  // Comments, order, or another spelling of the same.
  const text = `${displayBytes(path)} was rewritten with the same values`;
  return [{ kind: 'config', top: record.top, text, takeBack: [], reason: undefined }];
}
