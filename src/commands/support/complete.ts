import { type Bytes, displayBytes, textFromBytes } from '../../bytes.ts';
import { type Candidate, expectedWord, type WordKind } from '../../completion.ts';
import { EXIT, NonoError, SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { Directory } from '../../ports/files.ts';
import { isRollbackId } from '../../rollback/session-id.ts';
import { RECORD_BYTES_MAXIMUM, readRecord } from '../../session/read-record.ts';
import type { SessionRecord } from '../../session/record.ts';
import { inOrderOfStart, sessionIds } from '../../session/sessions.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';
import { commands } from '../index.ts';
import type { CommandResult } from '../spec.ts';

const ROLLBACKS = 'rollbacks' as Bytes;
const SESSIONS = 'sessions' as Bytes;
/** Nobody chooses among more; whoever has thousands of records writes the beginning of an id. */
const MOST_SHOWN = 200;

/**
 * Answers a shell: see ui/completion-scripts.ts for the form. Whatever cannot be read is left out: a complaint would land in
 * the middle of a line that somebody types.
 */
export async function complete(words: readonly Bytes[], context: Context): Promise<CommandResult> {
  const current = textFromBytes(words.at(-1) ?? ('' as Bytes));
  const expected = expectedWord(words.map(textFromBytes), commands);
  const found: Candidate[] = [...expected.candidates];
  for (const kind of expected.kinds) {
    const candidates = await quietly(() => candidatesOf(kind, context, current));
    found.push(...candidates.filter(({ text }) => text.startsWith(valuePart(current))));
  }
  const lines = found.map(({ text, about }) => `${text}\t${about}\n`);
  return { output: `${modeOf(expected.kinds, expected.commandAt)}\n${lines.join('')}`, exitCode: EXIT.ok };
}

function valuePart(current: string): string {
  return current.startsWith('--') && current.includes('=') ? current.slice(current.indexOf('=') + 1) : current;
}

function modeOf(kinds: readonly WordKind[], commandAt: number | undefined): string {
  if (commandAt !== undefined) return `:command ${commandAt}`;
  if (kinds.includes('file')) return ':files';
  return kinds.includes('directory') ? ':directories' : ':none';
}

async function quietly(look: () => Promise<readonly Candidate[]>): Promise<readonly Candidate[]> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof NonoError || error instanceof SystemError) return [];
    throw error;
  }
}

async function candidatesOf(kind: WordKind, context: Context, current: string): Promise<readonly Candidate[]> {
  switch (kind) {
    case 'live-session':
      return sessions(context, true);
    case 'session':
      return sessions(context, false);
    case 'rollback':
      return rollbacks(context, current);
    case 'profile':
      return await profiles(context);
    case 'variable':
      return Array.from(context.environment.keys(), (name) => ({ text: displayBytes(name), about: '' }));
    case 'file':
    case 'directory':
    case 'command':
      return [];
  }
}

/** By name and by id, the newest first. */
function sessions(context: Context, onlyLive: boolean): Candidate[] {
  using directory = openBelowState(context, SESSIONS);
  if (directory === undefined) return [];
  const records = sessionIds(directory)
    .map((id) => lookAtRecord(directory, id))
    .filter((found) => found !== undefined)
    .filter(({ isLive }) => !onlyLive || isLive);
  const shown = inOrderOfStart(records).toReversed().slice(0, MOST_SHOWN);
  return shown.flatMap(({ record, isLive }) => {
    const about = `${isLive ? 'running' : 'ended'} ${describeCommand(record)}`;
    const names = [
      { text: record.name, about: `${record.session_id} ${about}` },
      { text: record.session_id, about: `${record.name} ${about}` },
    ];
    return names.map(onOneLine);
  });
}

function lookAtRecord(
  directory: Directory,
  id: string,
): { readonly record: SessionRecord; readonly isLive: boolean } | undefined {
  try {
    const name = `${id}.json` as Bytes;
    const stat = directory.stat(name);
    if (stat?.kind !== 'file' || stat.sizeBytes > RECORD_BYTES_MAXIMUM) return undefined;
    using file = directory.openFile(name);
    const record = readRecord(id, file);
    // The supervisor holds the lock as long as it lives.
    return { record, isLive: record.status !== 'exited' && file.isLocked() };
  } catch (error) {
    if (error instanceof NonoError || error instanceof SystemError) return undefined;
    throw error;
  }
}

function describeCommand({ command }: SessionRecord): string {
  return command.map((word) => (typeof word === 'string' ? word : '…')).join(' ');
}

/** What a record holds anybody may have written: a tab or an escape sequence never reaches the shell. */
function onOneLine({ text, about }: Candidate): Candidate {
  const clean = (part: string) => Array.from(part, (character) => (/[\p{C}\t]/u.test(character) ? '?' : character)).join('');
  return { text: clean(text), about: clean(about).slice(0, 60) };
}

/** Ids of rollback sessions by their names alone, and `latest`; those of sessions once a word is begun that is not a date. */
function rollbacks(context: Context, current: string): Candidate[] {
  using directory = openBelowState(context, ROLLBACKS);
  if (directory === undefined) return [];
  const ids = directory.names().filter(isRollbackId).sort().reverse().slice(0, MOST_SHOWN);
  const own = [{ text: 'latest', about: 'the newest' }, ...ids.map((id) => ({ text: id as string, about: dateOf(id) }))];
  const isOther = current !== '' && !own.some(({ text }) => text.startsWith(current));
  return isOther ? sessions(context, false) : own;
}

/** Under the checks of the state directory; what the verbs load for that beside is left out, since somebody waits for a key. */
function openBelowState({ files, stateDirectory, uid }: Context, name: Bytes): Directory | undefined {
  using state = openStateDirectory(files, stateDirectory, uid, { create: false });
  if (state === undefined) return undefined;
  return openStateDirectory(files, joinPath(stateDirectory, name), uid, { create: false });
}

/** `20261121-100637-10029` as a date for people. */
function dateOf(id: string): string {
  return id.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d).*/, '$1-$2-$3 $4:$5:$6');
}

async function profiles(context: Context): Promise<Candidate[]> {
  const [{ listProfiles }, { profilePlaces }] = await Promise.all([
    import('../../config/profiles.ts'),
    import('../load-profile.ts'),
  ]);
  return listProfiles(profilePlaces(context)).map(({ name, isBuiltIn }) => ({
    text: name,
    about: isBuiltIn ? 'built in' : 'your own',
  }));
}
