import { type Bytes, bufferFromBytes, bytesFromText, displayBytes, isUtf8, textFromBytes } from '../../bytes.ts';
import { addToProfile, type PathList } from '../../config/add-to-profile.ts';
import { isProfilePath, resolveProfile } from '../../config/profiles.ts';
import { readTextFile } from '../../config/text-file.ts';
import { EXIT, NonoError, UsageError } from '../../errors.ts';
import { baseName, joinPath, parentPath, resolvePath } from '../../paths.ts';
import type { Files } from '../../ports/files.ts';
import { workingDirectoryOf } from '../../session/read-record.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import { writeNewFile } from '../policy/write-new-file.ts';
import type { CommandResult } from '../spec.ts';
import { decideAll, findQuestion } from './decide.ts';
import { allQuestions, type PendingQuestion, type SessionQuestions } from './pending.ts';

const FILE_MODE = 0o600;
const PERMISSIONS = 0o777;

/**
 * Allows for the session, and writes the grant into the user's profile once they have seen it.
 *
 * @throws {NonoError} for an answer that is no, and what cannot be written: nothing is answered then.
 */
export async function allowAlways(
  wanted: readonly Bytes[],
  { isSure }: { readonly isSure: boolean },
  context: Context,
): Promise<CommandResult> {
  const [word] = wanted;
  if (word === undefined || wanted.length > 1)
    throw new UsageError('Cannot write several answers at once: --always takes one ID', { hint: 'Give it one after the other' });
  const { found, question } = findQuestion(await allQuestions(context), word);
  const { file, name } = profileOf(found, context);
  const { list, path } = grantOf(question);
  const text = readTextFile(context.files, file);
  const shown = displayBytes(file);
  const added = addToProfile(text, { list, path, extended: name, fileName: shown });
  context.notify(`${text === undefined ? 'Writes' : 'Adds to'} ${shown}:`);
  for (const line of [
    ...(text === undefined ? [`extends = ${JSON.stringify(name)}`] : []),
    '[filesystem]',
    `${list} = [${JSON.stringify(path)}]`,
  ])
    context.notify(`  ${line}`);
  if (!isSure) confirmOrThrow(context);
  if (text === undefined) writeNewFile(context.files, file, added, temporaryName(context));
  else replaceText(context.files, file, added, temporaryName(context));
  return await decideAll(wanted, { decision: 'session', note: `always: ${list} of ${shown}` }, context);
}

/** Of a built-in profile, the user's own one of that name, which adds to it. */
function profileOf({ session }: SessionQuestions, context: Context): { readonly file: Bytes; readonly name: string } {
  const name = session.record.profile;
  const reference = bytesFromText(name);
  const places = profilePlaces(context);
  if (isProfilePath(reference)) return { file: resolvePath(workingDirectoryOf(session.record), reference), name };
  resolveProfile(reference, places);
  return { file: joinPath(places.directory, bytesFromText(`${name}.toml`)), name };
}

function grantOf({ access, path, paths }: PendingQuestion): { readonly list: PathList; readonly path: string } {
  if (paths.length > 1 || !isUtf8(path)) {
    throw new NonoError(
      'E_REFUSED',
      EXIT.failure,
      'Cannot write this answer into a profile: it is about several paths, or one that is no text',
      {
        hint: 'Allow it for the session, and write the profile yourself',
      },
    );
  }
  const list = LISTS[access];
  if (list === undefined) throw new TypeError(`Expected an access that has a list, not ${access}`);
  // To make a file takes the right to do that in its directory.
  return { list, path: textFromBytes(access === 'create' ? parentPath(path) : path) };
}

const LISTS: Readonly<Record<string, PathList>> = {
  read: 'read_file',
  write: 'write_file',
  'read and write': 'allow_file',
  create: 'allow',
  list: 'read',
  connect: 'allow_socket',
};

function confirmOrThrow({ terminal, confirm }: Context): void {
  if (!terminal.isStdinTerminal || !terminal.isStderrTerminal) {
    throw new UsageError('Cannot write a profile without a yes: there is no terminal to ask on', {
      hint: 'Add --yes once you have read what would be written',
    });
  }
  if (!confirm('Write this, and allow it for the session?'))
    throw new NonoError('E_REFUSED', EXIT.failure, 'Nothing was written, and the question still waits');
}

function temporaryName({ randomHex }: Context): Bytes {
  return `.nono-${randomHex(8)}` as Bytes;
}

/** It may be a link, as in a home that is kept in git: then what it leads to is replaced. */
function replaceText(files: Files, path: Bytes, text: string, temporary: Bytes): void {
  const real = files.realPath(path) ?? path;
  using directory = files.openDirectory(parentPath(real));
  using file = directory.createFile(temporary, (files.stat(real)?.mode ?? FILE_MODE) & PERMISSIONS);
  try {
    file.write(bufferFromBytes(bytesFromText(text)));
    file.sync();
    directory.rename(temporary, directory, baseName(real));
    directory.sync();
  } catch (error) {
    directory.removeFile(temporary);
    throw error;
  }
}
